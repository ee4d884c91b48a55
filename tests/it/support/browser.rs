//! Somebody with a browser in the stories: it keeps cookies, follows where it is led, and fills in forms as they
//! stand on the page.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::client::{Answer, Call};
use super::house::House;
use super::oauth::hidden;

/// A browser.
pub(crate) struct Browser<'h> {
    pub(crate) house: &'h House,
    cookies: RefCell<BTreeMap<String, String>>,
    headers: Vec<(&'static str, String)>,
}

impl<'h> Browser<'h> {
    pub(crate) fn new(house: &'h House) -> Self {
        Self {
            house,
            cookies: RefCell::default(),
            headers: Vec::new(),
        }
    }

    /// The same browser, which sends this header as well.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name, value.to_owned()));
        Self {
            house: self.house,
            cookies: self.cookies.clone(),
            headers,
        }
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.borrow_mut();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Opens a page, without following.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.sends(self.house.call("GET", target))
    }

    /// Opens a page, wherever it leads.
    pub(crate) fn opens(&self, target: &str) -> Answer {
        let answer = self.get(target);
        self.follows(answer)
    }

    /// Goes where an answer leads, to the end.
    pub(crate) fn follows(&self, mut answer: Answer) -> Answer {
        for _ in 0..8 {
            if answer.status != 303 {
                return answer;
            }
            let to = answer
                .header("location")
                .expect("it leads somewhere")
                .to_owned();
            answer = self.get(&to);
        }
        panic!("it leads round in circles");
    }

    /// Sends the form of a page that goes to `action`, with these fields filled in.
    pub(crate) fn submits(&self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let form = form(page, action);
        let mut all: Vec<(String, String)> = form.into_iter().collect();
        for (name, value) in fields {
            all.retain(|(known, _)| known != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.posts(action, &all)
    }

    /// Sends the form of a page that goes to `action`, with these fields and a file filled in.
    pub(crate) fn uploads(
        &self,
        page: &Answer,
        action: &str,
        fields: &[(&str, &str)],
        (file, content): (&str, &[u8]),
    ) -> Answer {
        const BOUNDARY: &str = "----WebKitFormBoundaryqK3vOPg7";
        let mut all = form(page, action);
        all.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut body = Vec::new();
        for (name, value) in all {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
            body.extend(format!("{head}\r\n\r\n{value}\r\n").bytes());
        }
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"");
        body.extend(
            format!("{head}; filename=\"{file}\"\r\nContent-Type: text/csv\r\n\r\n").bytes(),
        );
        body.extend(content);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        let call = self.house.call("POST", action);
        self.sends(call.body(&format!("multipart/form-data; boundary={BOUNDARY}"), body))
    }

    /// Sends a form.
    pub(crate) fn posts(&self, action: &str, fields: &[(String, String)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let call = self.house.call("POST", action);
        self.sends(call.body("application/x-www-form-urlencoded", body.finish()))
    }

    fn sends(&self, mut call: Call) -> Answer {
        let cookies = self.cookies.borrow().clone();
        if !cookies.is_empty() {
            let pairs: Vec<_> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            call = call.header("Cookie", pairs.join("; "));
        }
        for (name, value) in &self.headers {
            call = call.header(name, value.as_str());
        }
        let answer = call.send();
        let set = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        for (_, line) in set {
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            match attributes.contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }
}

/// The hidden fields of the form on a page that goes to `action`.
#[track_caller]
pub(crate) fn form(page: &Answer, action: &str) -> BTreeMap<String, String> {
    let text = page.text();
    let begin = format!("action=\"{action}\"");
    let (_, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no form goes to {action}: {text}"));
    let only = Answer {
        body: rest.as_bytes().to_vec(),
        ..page.clone()
    };
    hidden(&only)
}
