//! Conditions of a statement. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>.
//! Operators and keys are joined by AND, values of a key by OR, values under a negated operator by NOR. A key that the request lacks fails a positive
//! operator and satisfies a negated one. What neither side can be read as matches nothing, also under a negated operator.

mod operator;
mod value;

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::document::{Effect, Operator, Spot, Version};
use crate::facts::{Facts, Values, lower};
use crate::pattern::{Dollar, Match, Pattern, Reading};
use crate::resource::Parts;

use operator::{Comparison, Named, Test, Which};
use value::{Decimal, Instant};

/// One key under one operator.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    test: Test,
    /// In lower case.
    key: Box<str>,
    shown: Box<str>,
    /// The statement is a Deny: where AWS's pages leave a reading open, the one that is satisfied decides, else the one that is not.
    denies: bool,
    wanted: Wanted,
}

/// The values that a policy lists. What cannot be read is `None`.
#[derive(Debug, Clone)]
enum Wanted {
    Texts(Box<[Pattern]>),
    Decimals(Box<[Option<Decimal>]>),
    Instants(Box<[Option<Instant>]>),
    /// AWS's pages disagree on variables here; none are filled.
    Bools(Box<[Option<bool>]>),
    Bytes(Box<[Option<Box<[u8]>>]>),
    Networks(Box<[Option<IpNet>]>),
    Arns(Box<[Option<Box<[Pattern; 5]>>]>),
    /// `Null`: satisfied by a key that is absent, by a key that is there and not null.
    Presence {
        absent: bool,
        present: bool,
    },
    /// An operator that nobody knows: never satisfied.
    Never,
}

/// Compiles the `Condition` of a statement.
pub(crate) fn compile(operators: &[Operator], version: Version, effect: Effect) -> Box<[Condition]> {
    let keys = operators.iter().flat_map(|operator| {
        let test = Named::read(&operator.name.text);
        operator.keys.iter().map(move |key| (test, key))
    });
    let dollar = if version == Version::New { Dollar::Variable } else { Dollar::Text };
    let conditions = keys.map(|(named, key)| Condition {
        test: named.test(),
        key: lower(&key.name.text).into(),
        shown: key.name.text.clone(),
        denies: effect == Effect::Deny,
        wanted: Wanted::new(named, &key.values, dollar),
    });
    conditions.collect()
}

/// Whether AWS saves values under an operator; none if there is no such operator. What looks like no ARN is taken, and dates that nothing is equal to.
pub(crate) fn is_savable(name: &str) -> Option<fn(&str) -> bool> {
    match Named::read(name) {
        Named::Unknown => None,
        Named::Known(test) => Some(match test.comparison {
            Comparison::Text | Comparison::Caseless | Comparison::Like | Comparison::Arn => |_| true,
            Comparison::Number(_) => |text| Decimal::read(text).is_some(),
            Comparison::Date(_) => |text| Instant::read(text).is_some() || value::is_date(text),
            Comparison::Bool | Comparison::Null => |text| value::boolean(text).is_some(),
            Comparison::Bytes => |text| value::base64(text).is_some(),
            Comparison::Network => |text| value::network(text).is_some(),
        }),
    }
}

impl Wanted {
    fn new(named: Named, values: &[Spot], dollar: Dollar) -> Wanted {
        fn each<T>(values: &[Spot], read: impl Fn(&str) -> Option<T>) -> Box<[Option<T>]> {
            values.iter().map(|spot| read(&spot.text)).collect()
        }
        let Named::Known(test) = named else { return Wanted::Never };
        match test.comparison {
            Comparison::Text | Comparison::Caseless => {
                let reading = Reading { wildcards: false, dollar };
                Wanted::Texts(values.iter().map(|spot| Pattern::new(&spot.text, reading)).collect())
            }
            Comparison::Like => {
                let reading = Reading { wildcards: true, dollar };
                Wanted::Texts(values.iter().map(|spot| Pattern::new(&spot.text, reading)).collect())
            }
            Comparison::Arn => Wanted::Arns(each(values, |text| arn(text, dollar))),
            Comparison::Number(_) => Wanted::Decimals(each(values, Decimal::read)),
            Comparison::Date(_) => Wanted::Instants(each(values, Instant::read)),
            Comparison::Bool => Wanted::Bools(each(values, value::boolean)),
            Comparison::Bytes => Wanted::Bytes(each(values, value::base64)),
            Comparison::Network => Wanted::Networks(each(values, value::network)),
            Comparison::Null => Wanted::Presence {
                absent: values.iter().any(|spot| value::boolean(&spot.text) == Some(true)),
                present: values.iter().any(|spot| value::boolean(&spot.text) == Some(false)),
            },
        }
    }
}

/// Six parts, each a pattern of its own; the first is `arn`.
fn arn(text: &str, dollar: Dollar) -> Option<Box<[Pattern; 5]>> {
    let reading = Reading { wildcards: true, dollar };
    match crate::pattern::parts(text, dollar).as_slice() {
        ["arn", rest @ ..] => {
            let patterns: Box<[Pattern]> = rest.iter().map(|part| Pattern::new(part, reading)).collect();
            patterns.try_into().ok()
        }
        _ => None,
    }
}

impl Condition {
    /// True if the request satisfies it.
    pub(crate) fn holds(&self, facts: &dyn Facts) -> bool {
        let given = facts.get(&self.key);
        if let Wanted::Presence { absent, present } = self.wanted {
            return self.presence(given, absent, present);
        }
        if matches!(self.wanted, Wanted::Never) {
            return false;
        }
        let Test { which, if_exists, negated, .. } = self.test;
        match (given, which) {
            (None, _) if if_exists => true,
            (None, Which::All) => true,
            (None, Which::Any) => false,
            // AWS does not say what a missing key means where the value to compare with is missing too: both readings have to agree.
            (None, Which::One) => negated && (self.denies || self.is_filled(facts)),
            (Some(Values::One(value)), Which::One) => self.accepts(value, facts),
            // A list needs a set operator.
            (Some(Values::Many(_)), Which::One) => false,
            (Some(values), Which::All) => is_null(values) || each(values, |value| self.accepts(value, facts), true),
            (Some(values), Which::Any) => !is_null(values) && each(values, |value| self.accepts(value, facts), false),
        }
    }

    /// `Null`. A prefix for sets is either without effect or looks for values of which there are none; AWS does not say: both have to agree.
    fn presence(&self, given: Option<Values<'_>>, absent: bool, present: bool) -> bool {
        let plain = match given {
            None => absent,
            Some(values) => present && !is_null(values),
        };
        let as_set = match (given, self.test.which) {
            (None, Which::All) => true,
            (None, Which::Any) => false,
            (_, Which::One) | (Some(_), _) => plain,
        };
        if self.denies { plain || as_set } else { plain && as_set }
    }

    /// One value of the request against those of the policy.
    fn accepts(&self, value: &str, facts: &dyn Facts) -> bool {
        let negated = self.test.negated;
        // Some(true): equal; Some(false): differs; None: cannot be compared, which satisfies neither.
        let judge = |equal: Option<bool>| equal == Some(!negated);
        fn over<T>(list: &[T], all: bool, test: impl FnMut(&T) -> bool) -> bool {
            if all { list.iter().all(test) } else { list.iter().any(test) }
        }
        let of = |found: Match| match found {
            Match::Yes => Some(true),
            Match::No => Some(false),
            Match::Unfilled => None,
        };
        match (&self.wanted, self.test.comparison) {
            (Wanted::Texts(list), Comparison::Caseless) => over(list, negated, |pattern| judge(of(pattern.equals_caseless(value, facts)))),
            (Wanted::Texts(list), _) => over(list, negated, |pattern| judge(of(pattern.matches(value, facts)))),
            (Wanted::Arns(list), _) => {
                let parts = Parts::of(value);
                over(list, negated, |arn| {
                    judge(parts.as_ref().zip(arn.as_deref()).and_then(|(parts, arn)| of(arn_matches(arn, parts, facts))))
                })
            }
            (Wanted::Decimals(list), Comparison::Number(wanted)) => {
                let value = Decimal::parts(value);
                over(list, negated, |own| judge(value.zip(own.as_ref()).map(|(value, own)| fits(wanted, value.cmp(&own.as_parts())))))
            }
            (Wanted::Instants(list), Comparison::Date(wanted)) => {
                let value = Instant::read(value);
                over(list, negated, |own| judge(value.zip(*own).map(|(value, own)| fits(wanted, value.cmp(&own)))))
            }
            (Wanted::Bools(list), _) => {
                let value = value::boolean(value);
                over(list, negated, |own| judge(value.zip(*own).map(|(value, own)| value == own)))
            }
            (Wanted::Bytes(list), _) => over(list, negated, |own| judge(own.as_ref().and_then(|own| value::is_base64_of(value, own)))),
            (Wanted::Networks(list), _) => {
                let value: Option<IpAddr> = value.parse().ok();
                over(list, negated, |own| judge(value.zip(own.as_ref()).map(|(value, own)| own.contains(&value))))
            }
            (Wanted::Decimals(_) | Wanted::Instants(_) | Wanted::Presence { .. } | Wanted::Never, _) => false,
        }
    }

    /// Every variable among the values has a value.
    fn is_filled(&self, facts: &dyn Facts) -> bool {
        let mut filled = true;
        self.unfilled(facts, &mut |_| filled = false);
        filled
    }

    /// Variables among the values that the request does not fill.
    fn unfilled(&self, facts: &dyn Facts, missing: &mut dyn FnMut(&str)) {
        match &self.wanted {
            Wanted::Texts(list) => list.iter().for_each(|pattern| pattern.unfilled(facts, missing)),
            Wanted::Arns(list) => list.iter().flatten().flat_map(|arn| arn.iter()).for_each(|pattern| pattern.unfilled(facts, missing)),
            Wanted::Decimals(_)
            | Wanted::Instants(_)
            | Wanted::Bools(_)
            | Wanted::Bytes(_)
            | Wanted::Networks(_)
            | Wanted::Presence { .. }
            | Wanted::Never => {}
        }
    }

    /// A key that it looks for is lacking, of those that only a request could have: who asks is known, and so is what that one has not.
    pub(crate) fn is_open(&self, facts: &dyn Facts) -> bool {
        let of_the_principal = |key: &str| {
            let begins = |start: &str| key.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
            begins("aws:principal") || begins("aws:userid") || begins("aws:username")
        };
        let mut open = false;
        self.missing(facts, &mut |key| open |= !of_the_principal(key));
        open
    }

    /// Calls `missing` for each key that it looks for and the request lacks.
    pub(crate) fn missing(&self, facts: &dyn Facts, missing: &mut dyn FnMut(&str)) {
        if facts.get(&self.key).is_none() {
            missing(&self.shown);
        }
        self.unfilled(facts, missing);
    }

    /// About how many bytes it takes beside itself.
    pub(crate) fn weight(&self) -> usize {
        let patterns = |list: &[Pattern]| list.iter().map(|pattern| size_of::<Pattern>() + pattern.weight()).sum::<usize>();
        let values = match &self.wanted {
            Wanted::Texts(list) => patterns(list),
            Wanted::Arns(list) => list.iter().map(|arn| 8 + arn.as_ref().map_or(0, |arn| patterns(arn.as_slice()))).sum(),
            Wanted::Decimals(list) => list.len() * (size_of::<Option<Decimal>>() + 16),
            Wanted::Instants(list) => size_of_val(&**list),
            Wanted::Bools(list) => size_of_val(&**list),
            Wanted::Bytes(list) => list.iter().map(|bytes| 16 + bytes.as_ref().map_or(0, |bytes| bytes.len())).sum(),
            Wanted::Networks(list) => size_of_val(&**list),
            Wanted::Presence { .. } | Wanted::Never => 0,
        };
        self.key.len() + self.shown.len() + values
    }
}

/// "A null data set, such as an empty string": what a set operator finds nothing in.
fn is_null(values: Values<'_>) -> bool {
    match values {
        Values::One(text) => text.is_empty(),
        Values::Many(list) => list.iter().all(|text| text.is_empty()),
    }
}

fn each(values: Values<'_>, mut test: impl FnMut(&str) -> bool, all: bool) -> bool {
    match values {
        Values::One(text) => test(text),
        Values::Many(list) if all => list.iter().all(|text| test(text)),
        Values::Many(list) => list.iter().any(|text| test(text)),
    }
}

fn fits(wanted: operator::Order, found: Ordering) -> bool {
    match wanted {
        operator::Order::Equal => found.is_eq(),
        operator::Order::Less => found.is_lt(),
        operator::Order::LessOrEqual => found.is_le(),
        operator::Order::Greater => found.is_gt(),
        operator::Order::GreaterOrEqual => found.is_ge(),
    }
}

fn arn_matches(patterns: &[Pattern; 5], parts: &Parts<'_>, facts: &dyn Facts) -> Match {
    let texts = [parts.partition, parts.service, parts.region, parts.account, parts.resource];
    let mut found = Match::Yes;
    for (pattern, text) in patterns.iter().zip(texts) {
        match pattern.matches(text, facts) {
            Match::Yes => {}
            Match::No => found = Match::No,
            Match::Unfilled => return Match::Unfilled,
        }
    }
    found
}
