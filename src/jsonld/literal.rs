//! Values: value objects, type coercion, and the lexical forms of numbers
//! (JSON-LD 1.1 API, sections 5.3 and 8.2).

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::context::{Coercion, Context, Definition, Direction, Name};
use super::error::{Code, Dropped, Error, Place};
use super::expand::{Found, Frame, Walk};
use super::iri;
use super::keyword::Keyword;
use super::options::RdfDirection;
use super::rdf::{Literal, Term};
use super::to_rdf::{Graph, IRIS, Item, Kind, Out};

/// The members of a value object.
#[derive(Default)]
struct Parts<'v> {
    value: Option<&'v Value>,
    kind: Option<&'v Value>,
    language: Option<&'v str>,
    direction: Option<Direction>,
}

impl Walk<'_> {
    /// `{"@value": …}` (API, section 5.1.2, step 15).
    pub(super) fn value_object(
        &mut self,
        map: &Map<String, Value>,
        typed: &Context,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        let place = frame.place;
        let parts = self.value_parts(map, frame)?;
        let value = parts.value.expect("the caller saw @value");
        if parts.kind.is_some() && (parts.language.is_some() || parts.direction.is_some()) {
            return Err(place.invalid(Code::InvalidValueObject));
        }
        let datatype = match parts.kind {
            None => None,
            Some(kind) => match self.value_type(kind, typed, place)? {
                Name::Keyword(Keyword::Json) => {
                    let item = self.json_literal(value, place)?;
                    return self.value_item(item, frame, out);
                }
                Name::Iri(datatype) => Some(datatype),
                _ if value.is_null() => None,
                _ => return Err(place.invalid(Code::InvalidTypedValue)),
            },
        };
        match value {
            Value::Null => return self.drop_or_refuse(place, Dropped::Null),
            Value::Array(_) | Value::Object(_) => {
                return Err(place.invalid(Code::InvalidValueObjectValue));
            }
            Value::String(_) => {}
            _ if parts.language.is_some() => {
                return Err(place.invalid(Code::InvalidLanguageTaggedValue));
            }
            _ => {}
        }
        if frame.property.is_none() {
            return self.drop_or_refuse(place, Dropped::FreeFloating);
        }
        let language = parts.language.map(|tag| tag.to_lowercase().into());
        let term = self.literal(value, datatype, language, parts.direction, frame)?;
        self.value_item(term, frame, out)
    }

    fn value_item(
        &mut self,
        term: Option<Term>,
        frame: &Frame<'_>,
        out: &mut Out<'_>,
    ) -> Result<Found, Error> {
        if frame.property.is_none() {
            return self.drop_or_refuse(frame.place, Dropped::FreeFloating);
        }
        self.deliver(
            Item {
                kind: Kind::Value,
                term,
            },
            frame,
            out,
        )
    }

    fn value_parts<'v>(
        &mut self,
        map: &'v Map<String, Value>,
        frame: &Frame<'_>,
    ) -> Result<Parts<'v>, Error> {
        let mut parts = Parts::default();
        let mut seen = 0;
        for (key, value) in map {
            let place = frame.place.member(key);
            let Some(keyword) = frame.context.keyword(key) else {
                if self.is_dropped(key, value, frame.context, &place)? {
                    continue;
                }
                return Err(place.invalid(Code::InvalidValueObject));
            };
            if seen & keyword.bit() != 0 {
                return Err(place.invalid(Code::CollidingKeywords));
            }
            seen |= keyword.bit();
            match keyword {
                Keyword::Context => {}
                Keyword::Value => parts.value = Some(value),
                Keyword::Type => parts.kind = Some(value),
                Keyword::Language => {
                    let tag = value.as_str();
                    let refused = || place.invalid(Code::InvalidLanguageTaggedString);
                    parts.language = Some(tag.ok_or_else(refused)?);
                }
                Keyword::Direction => parts.direction = Some(direction(value, &place)?),
                Keyword::Index => self.check_index(value, &place)?,
                _ => return Err(place.invalid(Code::InvalidValueObject)),
            }
        }
        Ok(parts)
    }

    fn value_type(&self, kind: &Value, typed: &Context, place: &Place<'_>) -> Result<Name, Error> {
        match kind {
            Value::String(name) => Ok(typed.expand(name, true, true)),
            Value::Array(names) if names.iter().all(Value::is_string) => {
                Err(place.invalid(Code::InvalidTypedValue))
            }
            _ => Err(place.invalid(Code::InvalidTypeValue)),
        }
    }

    /// Value expansion (API, section 5.3): what a bare value means under its property.
    pub(super) fn coerced(
        &mut self,
        value: &Value,
        context: &Context,
        definition: Option<&Definition>,
        frame: &Frame<'_>,
    ) -> Result<Item, Error> {
        let coercion = definition.map_or(&Coercion::Absent, |definition| &definition.coercion);
        let term = match (coercion, value) {
            (Coercion::Id, Value::String(text)) => {
                let term = self.resource(context.expand(text, false, true), frame.place)?;
                return Ok(Item {
                    kind: Kind::Node,
                    term,
                });
            }
            (Coercion::Vocab, Value::String(text)) => {
                let term = self.resource(context.expand(text, true, true), frame.place)?;
                return Ok(Item {
                    kind: Kind::Node,
                    term,
                });
            }
            (Coercion::Json, _) => self.json_literal(value, frame.place)?,
            (Coercion::Datatype(datatype), _) => {
                self.literal(value, Some(datatype.clone()), None, None, frame)?
            }
            (_, Value::String(_)) => {
                let language = definition.and_then(|definition| definition.language.as_ref());
                let language = language.unwrap_or(&context.language).clone();
                let direction = definition.and_then(|definition| definition.direction);
                let direction = direction.unwrap_or(context.direction);
                self.literal(value, None, language, direction, frame)?
            }
            _ => self.literal(value, None, None, None, frame)?,
        };
        Ok(Item {
            kind: Kind::Value,
            term,
        })
    }

    /// Object to RDF conversion (API, section 8.2) of a scalar. Nothing where RDF has no place
    /// for it.
    pub(super) fn literal(
        &mut self,
        value: &Value,
        datatype: Option<Arc<str>>,
        language: Option<Arc<str>>,
        direction: Option<Direction>,
        frame: &Frame<'_>,
    ) -> Result<Option<Term>, Error> {
        let (text, native): (Arc<str>, _) = match value {
            Value::String(text) => (text.as_str().into(), &IRIS.xsd_string),
            Value::Bool(yes) => (
                if *yes { &IRIS.yes } else { &IRIS.no }.clone(),
                &IRIS.xsd_boolean,
            ),
            Value::Number(number) => {
                let double = datatype.as_ref() == Some(&IRIS.xsd_double);
                if self.safe && !is_exact(number, double) {
                    return Err(frame.place.dropped(Dropped::Precision));
                }
                let (text, is_double) = number_text(number, double);
                (
                    text.into(),
                    if is_double {
                        &IRIS.xsd_double
                    } else {
                        &IRIS.xsd_integer
                    },
                )
            }
            _ => return Err(frame.place.invalid(Code::InvalidValueObjectValue)),
        };
        if let Some(tag) = &language
            && !iri::is_language_tag(tag)
        {
            self.drop_or_refuse(frame.place, Dropped::Language)?;
            return Ok(None);
        }
        if let Some(direction) = direction {
            return self.directed(text, language, direction, frame);
        }
        let datatype = match &language {
            Some(_) => IRIS.lang_string.clone(),
            None => datatype.unwrap_or_else(|| native.clone()),
        };
        Ok(Some(Term::Literal(Literal {
            value: text,
            datatype,
            language,
        })))
    }

    fn directed(
        &mut self,
        value: Arc<str>,
        language: Option<Arc<str>>,
        direction: Direction,
        frame: &Frame<'_>,
    ) -> Result<Option<Term>, Error> {
        let plain = |value: &str| {
            Term::Literal(Literal {
                value: value.into(),
                datatype: IRIS.xsd_string.clone(),
                language: None,
            })
        };
        match self.options.direction {
            RdfDirection::Drop => {
                self.drop_or_refuse(frame.place, Dropped::Direction)?;
                let datatype = if language.is_some() {
                    &IRIS.lang_string
                } else {
                    &IRIS.xsd_string
                }
                .clone();
                Ok(Some(Term::Literal(Literal {
                    value,
                    datatype,
                    language,
                })))
            }
            RdfDirection::I18nDatatype => {
                let tag = language.as_deref().unwrap_or_default();
                let datatype = ["https://www.w3.org/ns/i18n#", tag, "_", direction.as_str()];
                let datatype = datatype.concat().into();
                Ok(Some(Term::Literal(Literal {
                    value,
                    datatype,
                    language: None,
                })))
            }
            RdfDirection::CompoundLiteral => {
                let node = self.blank();
                let parts = [
                    (&IRIS.rdf_value, Some(&*value)),
                    (&IRIS.rdf_language, language.as_deref()),
                    (&IRIS.rdf_direction, Some(direction.as_str())),
                ];
                for (property, text) in parts {
                    if let Some(text) = text {
                        let (graph, place): (&Graph, _) = (frame.graph, frame.place);
                        self.push(node.clone(), property.clone(), plain(text), graph, place)?;
                    }
                }
                Ok(Some(node))
            }
        }
    }

    /// A value of type `@json`, in its canonical form (RFC 8785).
    pub(super) fn json_literal(
        &self,
        value: &Value,
        place: &Place<'_>,
    ) -> Result<Option<Term>, Error> {
        if self.safe && !holds_exact_numbers(value) {
            return Err(place.dropped(Dropped::Precision));
        }
        let text = serde_json_canonicalizer::to_string(value)
            .map_err(|_| place.invalid(Code::InvalidJsonLiteral))?;
        let datatype = IRIS.rdf_json.clone();
        Ok(Some(Term::Literal(Literal {
            value: text.into(),
            datatype,
            language: None,
        })))
    }
}

/// The `@direction` of a value object.
pub(super) fn direction(value: &Value, place: &Place<'_>) -> Result<Direction, Error> {
    let direction = value.as_str().and_then(Direction::parse);
    direction.ok_or_else(|| place.invalid(Code::InvalidBaseDirection))
}

/// The largest magnitude up to which every integer is a double too.
const EXACT: u64 = 1 << 53;

/// The canonical lexical form of a number, and whether it is that of `xsd:double`, as it is where
/// the number has a fraction, is too large for an integer, or is asked for as a double.
fn number_text(number: &Number, as_double: bool) -> (String, bool) {
    let value = number.as_f64().unwrap_or(f64::NAN);
    if as_double || value.fract() != 0.0 || value.abs() >= 1e21 {
        return (double_text(value), true);
    }
    // Zero has no sign among the integers.
    let text = if number.is_f64() {
        format!("{:.0}", value + 0.0)
    } else {
        number.to_string()
    };
    (text, false)
}

/// `xsd:double` in canonical form with 15 digits after the point, as JSON-LD defines it.
fn double_text(value: f64) -> String {
    let text = format!("{value:.15E}");
    let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0');
    let zero = if mantissa.ends_with('.') { "0" } else { "" };
    format!("{mantissa}{zero}E{exponent}")
}

/// Whether the lexical form says which number it was. The rounding of a fraction to 15 digits
/// does not count: JSON-LD signers write 3.6666666666666665 so, and a reader gets what they mean.
fn is_exact(number: &Number, as_double: bool) -> bool {
    let whole = number
        .as_u64()
        .or_else(|| number.as_i64().map(i64::unsigned_abs));
    match (whole, number.as_f64()) {
        (Some(whole), _) => whole <= EXACT,
        (None, Some(value)) => {
            value.fract() != 0.0 || number_text(number, as_double).0.parse() == Ok(value)
        }
        (None, None) => false,
    }
}

fn holds_exact_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let whole = number
                .as_u64()
                .or_else(|| number.as_i64().map(i64::unsigned_abs));
            whole.is_none_or(|whole| whole <= EXACT)
        }
        Value::Array(items) => items.iter().all(holds_exact_numbers),
        Value::Object(members) => members.values().all(holds_exact_numbers),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(json: &str, as_double: bool) -> String {
        let number = serde_json::from_str(json).unwrap();
        number_text(&number, as_double).0
    }

    #[test]
    fn numbers_have_the_canonical_forms_of_xsd() {
        for (json, as_double, canonical) in [
            ("5", false, "5"),
            ("5.0", false, "5"),
            ("-0.0", false, "0"),
            ("5", true, "5.0E0"),
            ("5.3", false, "5.3E0"),
            ("0.1", false, "1.0E-1"),
            ("3.6666666666666665", false, "3.666666666666667E0"),
            ("-1234.5", false, "-1.2345E3"),
            ("1e21", false, "1.0E21"),
            ("100000000000000000000", false, "100000000000000000000"),
            ("9007199254740993", false, "9007199254740993"),
        ] {
            assert_eq!(text(json, as_double), canonical, "{json}");
        }
    }

    #[test]
    fn a_number_that_would_be_rounded_is_known() {
        for (json, exact) in [
            ("0.1", true),
            ("9007199254740992", true),
            ("9007199254740993", false),
            ("-9007199254740993", false),
            ("0.30000000000000004", true),
            ("3.6666666666666665", true),
            ("1e300", true),
            ("1234567890123456789012345", false),
        ] {
            assert_eq!(
                is_exact(&serde_json::from_str(json).unwrap(), false),
                exact,
                "{json}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_canonical_double_is_within_its_fifteen_digits(value in -1e300f64..1e300) {
            let back: f64 = double_text(value).parse().unwrap();
            prop_assert!((back - value).abs() <= value.abs() * 1e-15);
        }
    }
}
