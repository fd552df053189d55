//! Names of operators: `[ForAllValues:|ForAnyValue:]NAME[IfExists]`. AWS writes them exactly; case is not held against a policy.

/// What the name of an operator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Known(Test),
    Unknown,
}

/// How a key of the request is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) which: Which,
    pub(crate) comparison: Comparison,
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
}

/// Which values of the key have to satisfy it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The only one.
    One,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Text,
    Caseless,
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Bytes,
    Network,
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Every operator: its name in lower case, what it compares, whether it is negated.
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("stringequals", Comparison::Text, false),
    ("stringnotequals", Comparison::Text, true),
    ("stringequalsignorecase", Comparison::Caseless, false),
    ("stringnotequalsignorecase", Comparison::Caseless, true),
    ("stringlike", Comparison::Like, false),
    ("stringnotlike", Comparison::Like, true),
    ("numericequals", Comparison::Number(Order::Equal), false),
    ("numericnotequals", Comparison::Number(Order::Equal), true),
    ("numericlessthan", Comparison::Number(Order::Less), false),
    ("numericlessthanequals", Comparison::Number(Order::LessOrEqual), false),
    ("numericgreaterthan", Comparison::Number(Order::Greater), false),
    ("numericgreaterthanequals", Comparison::Number(Order::GreaterOrEqual), false),
    ("dateequals", Comparison::Date(Order::Equal), false),
    ("datenotequals", Comparison::Date(Order::Equal), true),
    ("datelessthan", Comparison::Date(Order::Less), false),
    ("datelessthanequals", Comparison::Date(Order::LessOrEqual), false),
    ("dategreaterthan", Comparison::Date(Order::Greater), false),
    ("dategreaterthanequals", Comparison::Date(Order::GreaterOrEqual), false),
    ("bool", Comparison::Bool, false),
    ("binaryequals", Comparison::Bytes, false),
    ("ipaddress", Comparison::Network, false),
    ("notipaddress", Comparison::Network, true),
    ("arnequals", Comparison::Arn, false),
    ("arnlike", Comparison::Arn, false),
    ("arnnotequals", Comparison::Arn, true),
    ("arnnotlike", Comparison::Arn, true),
    ("null", Comparison::Null, false),
];

impl Named {
    pub(crate) fn read(name: &str) -> Named {
        let folded = name.to_ascii_lowercase();
        let (which, rest) = match folded.split_once(':') {
            Some(("forallvalues", rest)) => (Which::All, rest),
            Some(("foranyvalue", rest)) => (Which::Any, rest),
            Some(_) => return Named::Unknown,
            None => (Which::One, folded.as_str()),
        };
        let (base, if_exists) = rest.strip_suffix("ifexists").map_or((rest, false), |base| (base, true));
        match OPERATORS.iter().find(|(name, ..)| *name == base) {
            // `Null` asks for presence itself.
            Some((_, Comparison::Null, _)) if if_exists => Named::Unknown,
            Some((_, comparison, negated)) => Named::Known(Test { which, comparison: *comparison, negated: *negated, if_exists }),
            None => Named::Unknown,
        }
    }

    /// How to compare; of an unknown operator it does not matter.
    pub(crate) fn test(self) -> Test {
        match self {
            Named::Known(test) => test,
            Named::Unknown => Test { which: Which::One, comparison: Comparison::Null, negated: false, if_exists: false },
        }
    }
}
