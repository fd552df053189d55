//! One document, made ready to decide.

use crate::action::{ActionPattern, Tail};
use crate::condition::{self, Condition};
use crate::decide::Unknown;
use crate::document::{Document, Effect, Kind, Place, Statement, Texts, Version};
use crate::facts::Facts;
use crate::listed::Listed;
use crate::pattern::{Dollar, Match};
use crate::resource::{Lookup, Order, ResourcePattern, ResourceReading, Target};

/// One document, made ready to decide. Cheap to share.
#[derive(Debug)]
pub struct Compiled {
    pub(crate) rules: Box<[Rule]>,
}

/// One statement.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) effect: Effect,
    pub(crate) listed: Option<Listed>,
    pub(crate) actions: Actions,
    pub(crate) resources: Resources,
    pub(crate) conditions: Box<[Condition]>,
    pub(crate) sid: Option<Box<str>>,
    pub(crate) start: Place,
    pub(crate) end: Place,
}

#[derive(Debug)]
pub(crate) struct Actions {
    pub(crate) not: bool,
    pub(crate) list: Box<[ActionPattern]>,
}

#[derive(Debug)]
pub(crate) enum Resources {
    /// Whatever is asked for.
    Any,
    /// Nothing: the statement never applies.
    Nothing,
    These(Box<[ResourcePattern]>),
    AllBut(Box<[ResourcePattern]>),
}

impl Compiled {
    /// Compiles a document as a policy of this kind. Compiled as [`Kind::Identity`] it serves in sets of boundaries and session policies too.
    pub fn new(document: &Document, kind: Kind) -> Compiled {
        Compiled { rules: document.statements().map(|statement| Rule::new(statement, document.version(), kind)).collect() }
    }

    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        size_of::<Compiled>() + self.rules.iter().map(|rule| size_of::<Rule>() + rule.weight()).sum::<usize>()
    }
}

impl Rule {
    fn new(statement: &Statement, version: Version, kind: Kind) -> Rule {
        let effect = statement.effect;
        Rule {
            effect,
            listed: Listed::new(statement.principals.as_ref(), kind, effect),
            actions: Actions::new(&statement.actions, effect),
            resources: Resources::new(statement.resources.as_ref(), version, kind, effect),
            conditions: condition::compile(&statement.conditions, version, effect),
            sid: statement.sid.as_ref().map(|sid| sid.text.clone()),
            start: statement.start,
            end: statement.end,
        }
    }

    /// All conditions are satisfied. Where what is unknown counts in the request's favour, a key that is not there has the value that an
    /// Allow asks for, and not the one that a Deny does.
    pub(crate) fn holds(&self, facts: &dyn Facts, unknown: Unknown) -> bool {
        self.conditions.iter().all(|condition| match unknown {
            Unknown::Absent => condition.holds(facts),
            Unknown::InFavour if condition.is_open(facts) => self.effect == Effect::Allow,
            Unknown::InFavour => condition.holds(facts),
        })
    }

    fn weight(&self) -> usize {
        let actions: usize = self.actions.list.iter().map(|pattern| size_of::<ActionPattern>() + pattern.weight()).sum();
        let resources: usize = self.resources.list().iter().map(|pattern| size_of::<ResourcePattern>() + pattern.weight()).sum();
        let conditions: usize = self.conditions.iter().map(|condition| size_of::<Condition>() + condition.weight()).sum();
        let listed = self.listed.as_ref().map_or(0, Listed::weight);
        actions + resources + conditions + listed + self.sid.as_ref().map_or(0, |sid| sid.len())
    }
}

/// Where a reading is open, an Allow covers less and a Deny more; what stands behind `Not` is the other way round.
fn is_narrow(effect: Effect, not: bool) -> bool {
    (effect == Effect::Allow) != not
}

impl Actions {
    fn new(texts: &Texts, effect: Effect) -> Actions {
        let narrow = is_narrow(effect, texts.not);
        Actions { not: texts.not, list: texts.list.iter().map(|spot| ActionPattern::new(&spot.text, narrow)).collect() }
    }

    pub(crate) fn cover(&self, action: &str) -> bool {
        self.list.iter().any(|pattern| pattern.covers(action)) != self.not
    }

    pub(crate) fn covers(&self, at: usize, action: &str) -> bool {
        self.list.get(at).is_some_and(|pattern| pattern.covers(action))
    }

    /// What can be looked up: the text that actions begin with, what else has to be compared, and the pattern's place in the list.
    pub(crate) fn index(&self) -> Vec<(&str, Tail, usize)> {
        if self.not {
            return vec![("", Tail::Compare, WHOLE)];
        }
        self.list.iter().enumerate().filter_map(|(at, pattern)| pattern.index().map(|(prefix, tail)| (prefix, tail, at))).collect()
    }
}

/// The place in a list that stands for the whole list.
pub(crate) const WHOLE: usize = u32::MAX as usize - 1;

impl Resources {
    fn new(texts: Option<&Texts>, version: Version, kind: Kind, effect: Effect) -> Resources {
        let safest = || match effect {
            Effect::Allow => Resources::Nothing,
            Effect::Deny => Resources::Any,
        };
        let Some(texts) = texts else {
            return match kind {
                // A trust policy is about its role, and some services' resource policies leave out what they stand on.
                Kind::Trust | Kind::Resource => Resources::Any,
                // No page says what it means elsewhere; AWS does not save it.
                Kind::Identity | Kind::Boundary | Kind::Session | Kind::Endpoint | Kind::ServiceControl | Kind::ResourceControl => safest(),
            };
        };
        if texts.list.is_empty() {
            return safest();
        }
        let reading = ResourceReading {
            kind,
            dollar: if version == Version::New { Dollar::Variable } else { Dollar::Text },
            narrow: is_narrow(effect, texts.not),
            not: texts.not,
        };
        let list: Box<[ResourcePattern]> = texts.list.iter().map(|spot| ResourcePattern::new(&spot.text, reading)).collect();
        let misplaced = version == Version::New && texts.list.iter().any(|spot| has_misplaced_variable(&spot.text));
        match (texts.not, effect) {
            // A variable outside the sixth part: the statement does not match. A Deny keeps what else it names.
            (true, _) | (false, Effect::Allow) if misplaced => Resources::Nothing,
            // To leave out nothing, because the text makes no sense, would allow more than was meant.
            (true, Effect::Allow) if list.iter().any(ResourcePattern::is_never) => Resources::Nothing,
            (true, _) => Resources::AllBut(list),
            (false, _) => Resources::These(list),
        }
    }

    fn list(&self) -> &[ResourcePattern] {
        match self {
            Resources::Any | Resources::Nothing => &[],
            Resources::These(list) | Resources::AllBut(list) => list,
        }
    }

    pub(crate) fn cover(&self, target: &Target<'_>, facts: &dyn Facts) -> bool {
        match self {
            Resources::Any => true,
            Resources::Nothing => false,
            Resources::These(list) => list.iter().any(|pattern| pattern.covers(target, facts) == Match::Yes),
            Resources::AllBut(list) => list.iter().all(|pattern| pattern.covers(target, facts) == Match::No),
        }
    }

    pub(crate) fn covers(&self, at: usize, target: &Target<'_>, facts: &dyn Facts) -> bool {
        self.list().get(at).is_some_and(|pattern| pattern.covers(target, facts) == Match::Yes)
    }

    /// As [`Actions::index`].
    pub(crate) fn index(&self) -> Vec<(Lookup, usize)> {
        let whole = |tail| (Lookup { order: Order::Whole, prefix: String::new(), tail, ends: false }, WHOLE);
        match self {
            Resources::Any => vec![whole(Tail::Free)],
            Resources::Nothing => Vec::new(),
            Resources::These(list) => {
                list.iter().enumerate().filter_map(|(at, pattern)| pattern.index().map(|lookup| (lookup, at))).collect()
            }
            Resources::AllBut(_) => vec![whole(Tail::Compare)],
        }
    }

    /// Calls `missing` for each variable that the request does not fill.
    pub(crate) fn unfilled(&self, facts: &dyn Facts, missing: &mut dyn FnMut(&str)) {
        self.list().iter().for_each(|pattern| pattern.unfilled(facts, missing));
    }
}

/// A variable in one of the first five parts.
fn has_misplaced_variable(text: &str) -> bool {
    crate::pattern::parts(text, Dollar::Variable).iter().take(5).any(|part| part.contains("${"))
}
