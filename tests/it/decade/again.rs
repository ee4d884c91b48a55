//! What the registry keeps from one question to the next changes no answer: questions from before
//! are put again after each change, also to a registry that has just come up over the same store and
//! has kept nothing.

use std::sync::Arc;

use goodstanding::entropy::SeededEntropy;
use goodstanding::http::{Edge, answer_locally};
use goodstanding::registry::Registry;
use goodstanding::vc::keys::MasterKey;
use serde_json::Value;

use super::history::History;
use crate::support::dice::Dice;
use crate::support::house::House;

/// So many questions are remembered.
const MOST: usize = 12;

/// Questions about standing that were asked before.
pub(super) struct Asked {
    questions: Vec<Value>,
    /// Apart from the one that makes the history.
    dice: Dice,
}

impl Asked {
    pub(super) fn nothing(seed: u64) -> Self {
        Self {
            questions: Vec::new(),
            dice: Dice::new(seed),
        }
    }

    pub(super) fn remember(&mut self, question: &Value) {
        if self.questions.len() == MOST {
            self.questions.swap_remove(self.dice.below(MOST));
        }
        self.questions.push(question.clone());
    }
}

impl History<'_> {
    /// Two of the questions from before, each twice.
    pub(super) fn is_asked_again(&mut self) {
        if self.asked.questions.is_empty() {
            return;
        }
        let kept_nothing = just_come_up(self.house);
        for _ in 0..2 {
            let question = self.asked.dice.pick(&self.asked.questions).clone();
            let body = bytes::Bytes::from(question.to_string());
            let headers = http::HeaderMap::new();
            let path = "/standing/query";
            let told = answer_locally(&kept_nothing, "POST", path, headers, body);
            for _ in 0..2 {
                let again = self.operator.post(path, &question);
                assert_eq!(again.status, told.status, "{question}");
                let texts = [&again.body[..], &told.body].map(String::from_utf8_lossy);
                assert_eq!(texts[0], texts[1], "{question}");
            }
        }
    }
}

fn just_come_up(house: &House) -> Edge {
    let registry = Registry::open(
        house.engine.clone(),
        house.clock.clone(),
        Arc::new(SeededEntropy::new(9)),
        MasterKey::generate(&SeededEntropy::new(0)),
        house.registry.settings().clone(),
    );
    Edge::usual(Arc::new(registry.expect("the store is this origin's")))
}
