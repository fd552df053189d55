//! Names of resources in a policy. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.
//! An ARN is compared part by part, so that no wildcard reaches beyond its part; the sixth part holds all the rest, colons included. Variables stand in
//! the sixth part only. Wildcards live in the policy: a `*` in the resource that is asked for is a character.

use crate::action::Tail;
use crate::document::Kind;
use crate::facts::Facts;
use crate::pattern::{self, Dollar, Match, Pattern, Piece, Reading};
use crate::services;

/// A resource that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) text: &'a str,
    /// None for what is no ARN.
    pub(crate) parts: Option<Parts<'a>>,
    /// An ARN up to its last part, and that part: what it is most often looked up by.
    whole: (&'a str, &'a str),
}

/// The parts of an ARN behind `arn:`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(text: &'a str) -> Option<Parts<'a>> {
        let mut rest = text.strip_prefix("arn:")?;
        // Every decision does this once. The parts before the last are short: looking at each byte is faster than a search.
        let mut next = || {
            let end = rest.bytes().position(|byte| byte == b':')?;
            let (part, behind) = rest.split_at_checked(end)?;
            rest = behind.get(1..)?;
            Some(part)
        };
        Some(Parts { partition: next()?, service: next()?, region: next()?, account: next()?, resource: rest })
    }
}

impl<'a> Target<'a> {
    pub(crate) fn new(text: &'a str) -> Target<'a> {
        let parts = Parts::of(text);
        let head = parts.and_then(|parts| text.len().checked_sub(parts.resource.len())).unwrap_or_default();
        Target { text, parts, whole: text.split_at_checked(head).unwrap_or(("", text)) }
    }
}

/// What one text of `Resource` or `NotResource` covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResourcePattern {
    All,
    /// It covers nothing, as it is no ARN, or one that cannot be.
    Never,
    Arn(Box<ArnPattern>),
}

/// The five parts behind `arn:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArnPattern {
    head: [Part; 4],
    resource: Pattern,
    /// The wildcard may not stand for the resource's type, and stands where the type would.
    strict: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    /// In lower case.
    Text(Box<str>),
    Pattern(Box<Pattern>),
}

/// How resources of a statement are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceReading {
    pub(crate) kind: Kind,
    pub(crate) dollar: Dollar,
    /// Where AWS's pages leave a reading open, the one that covers less.
    pub(crate) narrow: bool,
    /// It is a text of `NotResource`.
    pub(crate) not: bool,
}

impl ResourcePattern {
    pub(crate) fn new(text: &str, reading: ResourceReading) -> ResourcePattern {
        if text == "*" {
            return ResourcePattern::All;
        }
        let parts = pattern::parts(text, reading.dollar);
        let Some(("arn", given)) = parts.split_first().map(|(first, given)| (*first, given)) else { return ResourcePattern::Never };
        if given.is_empty() {
            return ResourcePattern::Never;
        }
        let filled = given.len() == 5;
        if !filled && !fills_up(text, reading) {
            return ResourcePattern::Never;
        }
        let part = |at: usize| given.get(at).copied().unwrap_or("*");
        // No wildcard in the service, but for one that fills a short ARN up.
        if given.get(1).is_some_and(|service| service.contains(['*', '?'])) {
            return ResourcePattern::Never;
        }
        let head_reading = Reading { wildcards: true, dollar: Dollar::Plain };
        let mut head = [const { Part::Any }; 4];
        for (at, slot) in head.iter_mut().enumerate() {
            if reading.dollar == Dollar::Variable && part(at).contains("${") {
                return ResourcePattern::Never;
            }
            *slot = Part::new(part(at), head_reading);
        }
        let resource = Pattern::new(part(4), Reading { wildcards: true, dollar: reading.dollar });
        if resource.is_broken() {
            return ResourcePattern::Never;
        }
        let strict = reading.narrow && services::has_resource_types(part(1)) && stands_in_type(&resource);
        ResourcePattern::Arn(Box::new(ArnPattern { head, resource, strict }))
    }

    pub(crate) fn covers(&self, target: &Target<'_>, facts: &dyn Facts) -> Match {
        match self {
            ResourcePattern::All => Match::Yes,
            ResourcePattern::Never => Match::No,
            ResourcePattern::Arn(arn) => target.parts.map_or(Match::No, |parts| arn.covers(&parts, facts)),
        }
    }

    /// Where it can be looked up; none if it covers nothing.
    pub(crate) fn index(&self) -> Option<Lookup> {
        match self {
            ResourcePattern::All => Some(Lookup { order: Order::Whole, prefix: String::new(), tail: Tail::Free, ends: false }),
            ResourcePattern::Never => None,
            ResourcePattern::Arn(arn) => Some(arn.index()),
        }
    }

    pub(crate) fn is_never(&self) -> bool {
        matches!(self, ResourcePattern::Never)
    }

    /// The request lacks a key that one of its variables needs.
    pub(crate) fn unfilled(&self, facts: &dyn Facts, missing: &mut dyn FnMut(&str)) {
        if let ResourcePattern::Arn(arn) = self {
            arn.resource.unfilled(facts, missing);
        }
    }

    pub(crate) fn weight(&self) -> usize {
        match self {
            ResourcePattern::All | ResourcePattern::Never => 0,
            ResourcePattern::Arn(arn) => {
                let part = |part: &Part| match part {
                    Part::Any => 0,
                    Part::Text(text) => text.len(),
                    Part::Pattern(pattern) => size_of::<Pattern>() + pattern.weight(),
                };
                size_of::<ArnPattern>() + arn.head.iter().map(part).sum::<usize>() + arn.resource.weight()
            }
        }
    }
}

/// Whether an ARN of fewer than six parts means "and anything". AWS documents no such ARN; engines that take them do so by kind of policy.
/// In `NotResource` it is left open what they mean, so there they cover nothing, and [`crate::compiled`] disarms an Allow.
fn fills_up(text: &str, reading: ResourceReading) -> bool {
    if reading.not {
        return false;
    }
    match reading.kind {
        Kind::Identity | Kind::Boundary | Kind::Session => true,
        Kind::Resource | Kind::Endpoint | Kind::Trust => text.contains(['*', '?']),
        Kind::ServiceControl => text.ends_with('*'),
        Kind::ResourceControl => false,
    }
}

/// A wildcard stands before the first `/` or `:`, where the type of the resource is. Alone it stands for the whole resource.
/// The IAM guide calls `user*` and the like not allowed, the EC2 guide uses `*/*`: an open question, so it is the safer reading that decides.
fn stands_in_type(resource: &Pattern) -> bool {
    if matches!(resource.pieces(), [Piece::Any]) {
        return false;
    }
    for piece in resource.pieces() {
        match piece {
            Piece::Literal(text) if text.contains(['/', ':']) => return false,
            Piece::Literal(_) | Piece::Variable(_) => {}
            Piece::One | Piece::Any => return true,
        }
    }
    false
}

impl Part {
    fn new(text: &str, reading: Reading) -> Part {
        match text {
            "*" => Part::Any,
            _ if text.contains(['*', '?']) => Part::Pattern(Box::new(Pattern::new(text, reading))),
            _ => Part::Text(text.to_ascii_lowercase().into()),
        }
    }

    fn covers(&self, text: &str, facts: &dyn Facts) -> bool {
        match self {
            Part::Any => true,
            Part::Text(own) => own.eq_ignore_ascii_case(text),
            Part::Pattern(pattern) => pattern.matches_folded(text, facts) == Match::Yes,
        }
    }
}

impl ArnPattern {
    fn covers(&self, parts: &Parts<'_>, facts: &dyn Facts) -> Match {
        let [partition, service, region, account] = &self.head;
        let same_place = partition.covers(parts.partition, facts)
            && service.covers(parts.service, facts)
            && region.covers(parts.region, facts)
            && account.covers(parts.account, facts);
        if same_place && self.strict && parts.resource.contains(['/', ':']) {
            return Match::No;
        }
        match self.resource.matches(parts.resource, facts) {
            Match::Yes if same_place => Match::Yes,
            Match::Yes | Match::No => Match::No,
            Match::Unfilled => Match::Unfilled,
        }
    }

    fn index(&self) -> Lookup {
        let (text, rest) = self.resource.prefix();
        let tail = if self.strict { Tail::Compare } else { Tail::of(rest) };
        let ends = rest.is_empty();
        match &self.head {
            [Part::Text(partition), Part::Text(service), Part::Text(region), Part::Text(account)] => {
                Lookup { order: Order::Whole, prefix: format!("arn:{partition}:{service}:{region}:{account}:{text}"), tail, ends }
            }
            [_, Part::Text(service), _, Part::Text(account)] => {
                Lookup { order: Order::Account, prefix: format!("{service}:{account}:{text}"), tail: Tail::Compare, ends }
            }
            [_, Part::Text(service), ..] => {
                Lookup { order: Order::Service, prefix: format!("{service}:{text}"), tail: Tail::Compare, ends }
            }
            [_, Part::Any | Part::Pattern(_), ..] => {
                Lookup { order: Order::Whole, prefix: "arn:".into(), tail: Tail::Compare, ends: false }
            }
        }
    }
}

/// Where a pattern can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup {
    pub(crate) order: Order,
    /// What all that it covers begins with, in this order; in lower case up to the last part.
    pub(crate) prefix: String,
    /// What else has to be looked at.
    pub(crate) tail: Tail,
    /// What it covers ends where the prefix does.
    pub(crate) ends: bool,
}

/// Which parts of an ARN it is looked up by, so that a wildcard in an early part does not hide what stands in the later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// All of it.
    Whole,
    /// Service, account, resource.
    Account,
    /// Service, resource.
    Service,
}

impl<'a> Target<'a> {
    /// The text that is looked up in this order: a part that is compared without case, and one that is compared with it.
    pub(crate) fn in_order(&self, order: Order) -> Option<(&'a str, &'a str)> {
        match (order, self.parts) {
            (Order::Whole, _) => Some(self.whole),
            (Order::Account | Order::Service, None) => None,
            (Order::Account, Some(parts)) => {
                self.behind(parts.account.len() + 1 + parts.resource.len()).and_then(|rest| self.service().zip(Some(rest)))
            }
            (Order::Service, Some(parts)) => self.service().zip(Some(parts.resource)),
        }
    }

    /// So many of its last bytes.
    fn behind(&self, length: usize) -> Option<&'a str> {
        self.text.get(self.text.len().checked_sub(length)?..)
    }

    /// The service, and the colon behind it.
    fn service(&self) -> Option<&'a str> {
        let parts = self.parts?;
        let start = "arn:".len() + parts.partition.len() + 1;
        self.text.get(start..start + parts.service.len() + 1)
    }
}
