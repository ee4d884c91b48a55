//! What the console says, in each language.

mod registrar;

use crate::web::Language;

impl Language {
    /// What the console says by this key.
    ///
    /// # Panics
    /// Where no text has the key, which a test over the templates sees to.
    pub fn text(self, key: &str) -> &'static str {
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
    ("room.requests", "Requests", "Anfragen"),
    ("room.endorsements", "Endorsements", "Befürwortungen"),
    ("room.endorse", "Endorse", "Befürworten"),
    ("done.endorsed", "The endorsement was issued.", "Die Befürwortung wurde ausgestellt."),
    ("done.declined", "The request was declined.", "Die Anfrage wurde abgelehnt."),
    ("done.asked", "Your question was sent to the requester.", "Ihre Frage wurde an die anfragende Seite geschickt."),
    ("done.answered", "Your answer was sent.", "Ihre Antwort wurde abgeschickt."),
    ("done.withdrawn", "The request was withdrawn.", "Die Anfrage wurde zurückgezogen."),
    ("done.revoked", "The endorsement was revoked.", "Die Befürwortung wurde widerrufen."),
    ("done.suspended", "The endorsement was suspended.", "Die Befürwortung wurde ausgesetzt."),
    ("done.reinstated", "The endorsement is in force again.", "Die Befürwortung gilt wieder."),
    ("trouble.meanwhile", "Somebody changed it meanwhile. This page shows it as it is now.", "Jemand hat es inzwischen geändert. Diese Seite zeigt, wie es jetzt ist."),
    ("trouble.date", "A date such as 2027-06-30 is needed", "Ein Datum wie 2027-06-30 wird gebraucht"),
    ("choice.all", "All", "Alle"),
    ("kind.profile", "profile", "Profil"),
    ("kind.achievement", "achievement", "Leistung"),
    ("kind.credential", "credential", "Nachweis"),
    ("state.requested", "Waits for the accreditor", "Wartet auf die Akkreditierungsstelle"),
    ("state.asked", "Waits for an answer", "Wartet auf eine Antwort"),
    ("state.approved", "Approved", "Angenommen"),
    ("state.declined", "Declined", "Abgelehnt"),
    ("state.withdrawn", "Withdrawn", "Zurückgezogen"),
    ("standing.active", "In good standing", "In gutem Stand"),
    ("standing.not-endorsed", "Known here, but nobody endorses it", "Hier bekannt, aber niemand befürwortet es"),
    ("standing.revoked", "Revoked for good", "Für immer widerrufen"),
    ("standing.suspended", "Suspended for the time being", "Bis auf Weiteres ausgesetzt"),
    ("standing.expired", "Expired", "Abgelaufen"),
    ("standing.not-yet-valid", "Not valid yet", "Noch nicht gültig"),
    ("standing.stale-digest", "Changed since it was endorsed", "Seit der Befürwortung geändert"),
    ("standing.unknown", "Not known here", "Hier nicht bekannt"),
    ("standing.unreachable", "Could not be checked now", "Konnte jetzt nicht geprüft werden"),
    ("requests.state", "State", "Stand"),
    ("requests.none", "There are no such requests.", "Solche Anfragen gibt es nicht."),
    ("requests.from", "from", "von"),
    ("requests.to", "to", "an"),
    ("requests.for", "for", "für"),
    ("request.title", "Request for an endorsement", "Anfrage um eine Befürwortung"),
    ("request.endorsement", "The endorsement that was issued for it", "Die Befürwortung, die dafür ausgestellt wurde"),
    ("request.requester", "Who asks", "Wer fragt"),
    ("request.accreditor", "Who is asked", "Wer gefragt wird"),
    ("request.comment", "What the requester says", "Was die anfragende Seite sagt"),
    ("request.evidence", "What speaks for it", "Was dafür spricht"),
    ("request.renews", "Goes on from", "Setzt fort"),
    ("request.renewed", "an earlier endorsement", "eine frühere Befürwortung"),
    ("request.created", "Asked on", "Gefragt am"),
    ("request.steps", "What was said since", "Was seither gesagt wurde"),
    ("step.approved", "Approved", "Angenommen"),
    ("step.declined", "Declined", "Abgelehnt"),
    ("step.asked", "The accreditor asked", "Die Akkreditierungsstelle fragte"),
    ("step.answered", "The requester answered", "Die anfragende Seite antwortete"),
    ("step.withdrawn", "Withdrawn", "Zurückgezogen"),
    ("answer.title", "Answer the question", "Die Frage beantworten"),
    ("answer.words", "Your answer", "Ihre Antwort"),
    ("answer.evidence", "Links to what speaks for it", "Links zu dem, was dafür spricht"),
    ("answer.evidence-hint", "Addresses that begin with https, each on a line of its own.", "Adressen, die mit https beginnen, jede in einer eigenen Zeile."),
    ("answer.button", "Send the answer", "Antwort abschicken"),
    ("approve.title", "Approve", "Annehmen"),
    ("approve.words", "You see the credential before anything is signed.", "Sie sehen den Nachweis, bevor etwas signiert wird."),
    ("approve.button", "Look at it before it is signed", "Ansehen, bevor signiert wird"),
    ("ask.title", "Ask something first", "Zuerst etwas fragen"),
    ("ask.words", "Your question", "Ihre Frage"),
    ("ask.button", "Send the question", "Frage abschicken"),
    ("decline.title", "Decline", "Ablehnen"),
    ("decline.words", "Why, for the requester", "Warum, für die anfragende Seite"),
    ("decline.button", "Decline the request", "Anfrage ablehnen"),
    ("withdraw.title", "Withdraw the request", "Die Anfrage zurückziehen"),
    ("withdraw.words", "Why, if you want to say so", "Warum, wenn Sie es sagen wollen"),
    ("withdraw.button", "Withdraw", "Zurückziehen"),
    ("endorsement.endorser", "Who endorses", "Wer befürwortet"),
    ("endorsement.subject", "What is endorsed", "Was befürwortet wird"),
    ("endorsement.name", "Name of the endorsement", "Name der Befürwortung"),
    ("endorsement.comment", "Why", "Warum"),
    ("endorsement.comment-hint", "Everybody can read this.", "Das können alle lesen."),
    ("endorsement.valid-from", "Holds from", "Gilt ab"),
    ("endorsement.valid-from-hint", "From now on where nothing is said.", "Ab jetzt, wenn nichts angegeben ist."),
    ("endorsement.valid-until", "Holds until", "Gilt bis"),
    ("endorsement.valid-until-hint", "To the end of that day in UTC; without an end where nothing is said.", "Bis zum Ende dieses Tages in UTC; ohne Ende, wenn nichts angegeben ist."),
    ("endorsement.suspendable", "It can be suspended for a while", "Sie kann für eine Weile ausgesetzt werden"),
    ("endorsement.covers", "What it covers", "Was sie umfasst"),
    ("endorsement.digest", "Digest of the version that was endorsed", "Prüfsumme der Fassung, die befürwortet wurde"),
    ("endorsement.changed", "Last changed", "Zuletzt geändert"),
    ("endorsement.public", "The page that everybody sees", "Die Seite, die alle sehen"),
    ("endorsement.decide", "What you can do", "Was Sie tun können"),
    ("preview.title", "This is what you sign", "Das signieren Sie"),
    ("preview.words", "Nothing has been issued yet.", "Noch ist nichts ausgestellt."),
    ("preview.document", "The credential as it will be signed", "Der Nachweis, wie er signiert wird"),
    ("preview.given-later", "Its id and its places in the status lists are given when it is issued, and will be others than these.", "Kennung und Plätze in den Statuslisten werden erst beim Ausstellen vergeben und werden andere sein als diese."),
    ("preview.confirm", "Sign and issue it", "Signieren und ausstellen"),
    ("preview.back", "Change something", "Etwas ändern"),
    ("endorse.renew", "Renew", "Erneuern"),
    ("endorse.renews", "This goes on from", "Dies setzt fort:"),
    ("endorse.subject", "Address or DID of what you endorse", "Adresse oder DID dessen, was Sie befürworten"),
    ("endorse.subject-hint", "Such as https://school.example or did:web:school.example.", "Etwa https://school.example oder did:web:school.example."),
    ("endorse.kind", "What kind of thing it is", "Was es ist"),
    ("endorse.role", "As what a profile is endorsed", "Als was ein Profil befürwortet wird"),
    ("role-of.any", "in every role that it has", "in jeder Rolle, die es hat"),
    ("role-of.issuer", "as an issuer", "als Aussteller"),
    ("role-of.accreditor", "as an accreditor", "als Akkreditierungsstelle"),
    ("endorse.bind", "It holds only for this version: when the profile or achievement changes, you look at it again", "Sie gilt nur für diese Fassung: Ändert sich das Profil oder die Leistung, sehen Sie sie erneut an"),
    ("endorse.not-here", "Only what is registered here can be bound to a version", "Nur was hier registriert ist, kann an eine Fassung gebunden werden"),
    ("endorsements.standing", "Standing", "Stand"),
    ("endorsements.none", "There are no such endorsements.", "Solche Befürwortungen gibt es nicht."),
    ("endorsements.choose", "Choose whose endorsements you want to see.", "Wählen Sie, wessen Befürwortungen Sie sehen wollen."),
    ("decision.revoke", "Revoke the endorsement", "Die Befürwortung widerrufen"),
    ("decision.suspend", "Suspend the endorsement", "Die Befürwortung aussetzen"),
    ("decision.reinstate", "End the suspension", "Die Aussetzung beenden"),
    ("decision.endorsement", "Endorsement", "Befürwortung"),
    ("decision.for-ever", "A revocation is never taken back.", "Ein Widerruf wird nie zurückgenommen."),
    ("decision.affects", "What this changes", "Was das ändert"),
    ("decision.endorsements", "Endorsements that stand otherwise then", "Befürwortungen, die dann anders stehen"),
    ("decision.subjects", "Profiles, achievements and credentials that stand otherwise then", "Profile, Leistungen und Nachweise, die dann anders stehen"),
    ("decision.nobody", "Others stand behind all of them, or nobody did before.", "Hinter ihnen allen stehen noch andere, oder schon vorher niemand."),
    ("decision.now", "now", "jetzt"),
    ("decision.then", "then", "dann"),
    ("decision.more", "There are more than are shown here.", "Es sind mehr, als hier gezeigt werden."),
    ("decision.reason", "Why", "Warum"),
    ("decision.reason-hint", "Kept in the audit trail.", "Wird im Prüfprotokoll festgehalten."),
    ("decision.why", "Say why, for the audit trail", "Sagen Sie warum, für das Prüfprotokoll"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::web::console::{Done, Room};

    #[test]
    fn every_text_has_one_key_and_both_languages() {
        let all: Vec<_> = WORDS.iter().chain(registrar::WORDS).collect();
        let keys: BTreeSet<_> = all.iter().map(|(key, ..)| key).collect();
        assert_eq!(keys.len(), all.len(), "no key stands twice");
        for (key, english, german) in all {
            assert!(!english.is_empty() && !german.is_empty(), "{key}");
        }
        for done in Done::ALL {
            assert_eq!(Done::named(done.as_str()), Some(done));
            Language::English.text(done.key());
        }
        for room in Room::ALL {
            Language::English.text(room.key());
        }
        for outcome in crate::verify::outcome::Outcome::ALL {
            Language::English.text(&format!("standing.{}", outcome.as_str()));
        }
        for action in crate::access::Action::ALL {
            assert_eq!(Language::English.text(action.scope()), action.meaning());
        }
    }

    #[test]
    fn every_text_of_the_registrars_is_used() {
        let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
        let mut texts = Vec::new();
        for folder in [
            "web/templates/console",
            "web/console/registrar",
            "http/console/registrar",
        ] {
            texts.extend(texts_below(&source.join(folder)));
        }
        texts.extend(
            texts_below(&source.join("web/console"))
                .into_iter()
                .filter(|text| !text.contains("WORDS")),
        );
        for (key, ..) in registrar::WORDS {
            let quoted = format!("\"{key}\"");
            assert!(
                texts.iter().any(|text| text.contains(&quoted)),
                "{key} is used nowhere"
            );
        }
    }

    /// The texts of all files in a folder.
    fn texts_below(folder: &Path) -> Vec<String> {
        let mut texts = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            match path.is_dir() {
                true => texts.extend(texts_below(&path)),
                false => texts.push(std::fs::read_to_string(path).unwrap()),
            }
        }
        texts
    }

    /// Keys in the templates, which are looked up only when a page shows them.
    #[test]
    fn every_key_in_a_template_has_a_text() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/templates/console");
        let mut found = 0;
        for text in texts_below(Path::new(folder)) {
            for call in ["frame.t(\"", "language.text(\""] {
                for rest in text.split(call).skip(1) {
                    Language::German.text(rest.split('"').next().unwrap());
                    found += 1;
                }
            }
        }
        assert!(found > 50, "{found}");
    }
}
