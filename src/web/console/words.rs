//! What the console says, in each language.

mod registrar;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, which is also for whoever reads neither.
    English,
    /// German.
    German,
}

impl Language {
    /// The one that a browser likes best (`Accept-Language`, RFC 9110 section 12.5.4).
    pub fn choose(accepted: &str) -> Self {
        let quality = |range: &str| {
            let (_, q) = range.split_once(";q=").unwrap_or((range, "1"));
            q.trim().parse::<f32>().unwrap_or(0.0)
        };
        let of = |language: &str| {
            let ranges = accepted.split(',').map(str::trim);
            let named = ranges.filter(|range| range.to_ascii_lowercase().starts_with(language));
            named.map(quality).fold(0.0, f32::max)
        };
        match of("de") > of("en") {
            true => Self::German,
            false => Self::English,
        }
    }

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// A text by its key.
    ///
    /// # Panics
    /// Where no text has the key, which a test over the templates sees to.
    pub fn say(self, key: &str) -> &'static str {
        let (_, english, german) = WORDS
            .iter()
            .chain(registrar::WORDS)
            .find(|(known, ..)| *known == key)
            .unwrap_or_else(|| panic!("no text has the key {key}"));
        match self {
            Self::English => english,
            Self::German => german,
        }
    }
}

/// Key, English, German.
#[rustfmt::skip]
const WORDS: &[(&str, &str, &str)] = &[
    ("console", "Console", "Konsole"),
    ("development.title", "Development mode.", "Entwicklungsmodus."),
    ("development.words", "Nobody signs in here: whoever reaches this machine may do everything. Never run it like this for others.", "Hier meldet sich niemand an: Wer diesen Rechner erreicht, darf alles. So läuft die Registry niemals für andere."),
    ("enter.button", "Go in without signing in", "Ohne Anmeldung eintreten"),
    ("enter.as-somebody", "Sign in as somebody who was invited", "Als eingeladene Person anmelden"),
    ("failed.title", "You are not signed in", "Sie sind nicht angemeldet"),
    ("failed.other-browser", "This sign-in was not begun in this browser, or it took longer than fifteen minutes.", "Diese Anmeldung wurde nicht in diesem Browser begonnen, oder sie hat länger als fünfzehn Minuten gedauert."),
    ("failed.denied", "You did not agree, so nothing was opened.", "Sie haben nicht zugestimmt, deshalb wurde nichts geöffnet."),
    ("failed.over", "This sign-in was used before or came too late. If you did not do that yourself, sign in and choose another passphrase.", "Diese Anmeldung wurde schon benutzt oder kam zu spät. Falls Sie das nicht selbst waren, melden Sie sich an und wählen Sie ein anderes Kennwort."),
    ("failed.again", "Sign in", "Anmelden"),
    ("who.is", "Signed in as", "Angemeldet als"),
    ("sign-out", "Sign out", "Abmelden"),
    ("role.operator", "operator of the registry", "Betrieb der Registry"),
    ("role.owner", "owner", "Inhaber"),
    ("role.list-manager", "list manager", "Listenverwaltung"),
    ("role.endorser", "endorser", "Befürwortung"),
    ("role.auditor", "auditor", "Prüfung"),
    ("room.overview", "Overview", "Übersicht"),
    ("room.account", "Your account", "Ihr Konto"),
    ("done.passphrase-changed", "Your passphrase was changed. You are signed out everywhere else.", "Ihr Kennwort wurde geändert. Überall sonst sind Sie abgemeldet."),
    ("trouble.title", "Nothing was changed", "Nichts wurde geändert"),
    ("account.email", "E-mail address", "E-Mail-Adresse"),
    ("account.id", "Your number here", "Ihre Nummer hier"),
    ("account.until", "You sign in again at the latest", "Neue Anmeldung spätestens"),
    ("account.may", "What you may do", "Was Sie dürfen"),
    ("account.passphrase", "Choose another passphrase", "Anderes Kennwort wählen"),
    ("account.passphrase-ends", "You are signed out everywhere then, and sign in with the new one.", "Danach sind Sie überall abgemeldet und melden sich mit dem neuen an."),
    ("account.present", "Your present passphrase", "Ihr jetziges Kennwort"),
    ("account.new", "The new passphrase", "Das neue Kennwort"),
    ("account.new-hint", "At least 12 characters. Several words are easier to keep in mind.", "Mindestens 12 Zeichen. Mehrere Wörter merken sich leichter."),
    ("account.again", "The new passphrase once more", "Das neue Kennwort noch einmal"),
    ("account.change", "Change the passphrase", "Kennwort ändern"),
    ("account.not-the-same", "The new passphrase is not the same both times", "Das neue Kennwort ist nicht beide Male gleich"),
    ("account.everywhere", "Sign out everywhere", "Überall abmelden"),
    ("account.everywhere-words", "Every browser in which you are signed in is signed out, this one too.", "Jeder Browser, in dem Sie angemeldet sind, wird abgemeldet, auch dieser."),
    ("read", "Read what is private: keys, requests, tasks, exports", "Privates lesen: Schlüssel, Anfragen, Aufgaben, Exporte"),
    ("profiles:write", "Change the profile and its achievements", "Das Profil und seine Leistungen ändern"),
    ("keys:write", "Make, retire and revoke keys", "Schlüssel erzeugen, ablösen und sperren"),
    ("lists:write", "Open and import status lists", "Statuslisten öffnen und einlesen"),
    ("status:write", "Revoke and suspend credentials, and take that back", "Nachweise widerrufen, aussetzen und wieder einsetzen"),
    ("credentials:write", "Issue credentials", "Nachweise ausstellen"),
    ("endorsements:write", "Endorse, and answer requests for endorsements", "Befürworten und Anfragen beantworten"),
    ("clients:write", "Decide which programs and people may act", "Entscheiden, welche Programme und Personen handeln dürfen"),
    ("events:read", "Read the audit trail", "Das Prüfprotokoll lesen"),
    ("erasure:write", "Erase words and contacts", "Texte und Kontakte löschen"),
    ("registry:write", "Run the registry", "Die Registry betreiben"),
    ("attention.title", "This needs attention", "Das braucht Aufmerksamkeit"),
    ("overview.about", "What waits for", "Was wartet auf"),
    ("tasks.title", "To do", "Zu tun"),
    ("tasks.none", "Nothing waits.", "Nichts wartet."),
    ("task.request", "A request waits for your decision", "Eine Anfrage wartet auf Ihre Entscheidung"),
    ("task.answered", "Your question was answered", "Ihre Frage wurde beantwortet"),
    ("task.asked", "An accreditor asks you something", "Eine Akkreditierungsstelle fragt Sie etwas"),
    ("task.stale-digest", "What you endorsed has changed since", "Was Sie befürwortet haben, hat sich seither geändert"),
    ("task.expires-soon", "An endorsement of yours ends soon", "Eine Ihrer Befürwortungen endet bald"),
    ("since", "since", "seit"),
    ("until", "until", "bis"),
    ("more", "More", "Weitere"),
    ("choice.profile", "Profile", "Profil"),
    ("choice.none", "Choose one", "Bitte wählen"),
    ("choice.show", "Show", "Zeigen"),
];
