//! A plain evaluator of policies, as slow and as simple as the rules can be written down: it shares no code and no idea with the crate. It reads JSON
//! as it comes, looks at every statement, and tries every way to match a pattern.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request and all policies, as JSON and text.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) principal: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) owner: Option<String>,
    /// Keys in lower case; a list is multivalued.
    pub(crate) context: BTreeMap<String, Value>,
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Vec<Value>>,
    pub(crate) session: Option<Vec<Value>>,
    pub(crate) resource_policy: Option<Value>,
    pub(crate) endpoint: Option<Vec<Value>>,
    pub(crate) service_control: Vec<Vec<Value>>,
    pub(crate) resource_control: Vec<Vec<Value>>,
}

/// What kind of policy a statement stands in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum In {
    Identity,
    Resource,
    Trust,
    Endpoint,
    Scp,
    Rcp,
}

/// How a statement reaches the caller; bigger is more direct.
const ACCOUNT: u8 = 1;
const BEHIND: u8 = 2;
const DIRECT: u8 = 3;

impl World {
    fn is_trust(&self) -> bool {
        let action = self.action.to_lowercase();
        let is_assume = ["assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "tagsession", "setsourceidentity", "setcontext"]
            .iter()
            .any(|name| action == format!("sts:{name}"));
        let parts: Vec<&str> = self.resource.splitn(6, ':').collect();
        is_assume && parts.len() == 6 && parts[0] == "arn" && parts[2] == "iam" && parts[5].starts_with("role/")
    }

    fn account(&self) -> Option<String> {
        let parts: Vec<&str> = self.principal.splitn(6, ':').collect();
        let is_provider = parts.len() == 6 && parts[5].contains("-provider/");
        (parts.len() == 6 && !is_provider).then(|| parts[4].to_owned())
    }

    fn is_root(&self) -> bool {
        self.principal.ends_with(":root")
    }

    fn is_federated(&self) -> bool {
        self.principal.contains(":federated-user/")
    }

    /// The answer: `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied`.
    pub(crate) fn decide(&self) -> &'static str {
        let own = self.account();
        let action = self.action.to_lowercase();
        if own.is_some() && (action == "sts:getcalleridentity" || action == "sts:getsessiontoken") {
            return "Allowed";
        }
        let parts: Vec<&str> = self.resource.splitn(6, ':').collect();
        let in_arn = (parts.len() == 6 && parts[0] == "arn").then(|| parts[4].to_owned());
        let in_arn = in_arn.filter(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()));
        let owner = self.owner.clone().or(in_arn).or(own.clone());
        let at_home = own.is_some() && owner == own;
        let trust = self.is_trust();
        let slr = self.principal.contains(":role/aws-service-role/");

        let identity = if own.is_some() { Some(self.union(&self.identity, In::Identity)) } else { None };
        let on_resource = if trust { In::Trust } else { In::Resource };
        let resource = self.resource_policy.as_ref().map(|document| self.union(std::slice::from_ref(document), on_resource));
        let boundary = self.boundary.as_ref().filter(|_| own.is_some()).map(|list| self.union(list, In::Identity));
        let session = self.session.as_ref().filter(|_| own.is_some()).map(|list| self.union(list, In::Identity));
        let endpoint = self.endpoint.as_ref().map(|list| self.union(list, In::Endpoint));
        let mut scps = Vec::new();
        if own.is_some() && !slr {
            scps.extend(self.service_control.iter().map(|level| self.union(level, In::Scp)));
        }
        let mut rcps = Vec::new();
        // Of the services in these tests, AWS covers all but these.
        let is_covered = !["iam", "ec2", "lambda", "sns"].contains(&action.split(':').next().unwrap());
        if is_covered && !slr {
            rcps.extend(self.resource_control.iter().map(|level| self.union(level, In::Rcp)));
        }

        let all = [identity, resource, boundary, session, endpoint];
        if all.iter().flatten().chain(&scps).chain(&rcps).any(|(denies, _)| *denies) {
            return "ExplicitlyDenied";
        }
        let no = "ImplicitlyDenied";
        if scps.iter().chain(&rcps).chain(&endpoint).any(|(_, allows)| *allows == 0) {
            return no;
        }
        let granted = resource.map_or(0, |(_, allows)| allows);
        if own.is_none() {
            return if granted > 0 { "Allowed" } else { no };
        }
        let limits = [boundary, session].iter().flatten().all(|(_, allows)| *allows > 0);
        let by_identity = self.is_root() || identity.is_some_and(|(_, allows)| allows > 0);
        let is_key = parts.len() == 6 && parts[0] == "arn" && parts[2] == "kms" && !parts[5].starts_with("alias/");
        let yes = if at_home {
            if granted == DIRECT {
                true
            } else if granted == BEHIND {
                limits
            } else if (trust || is_key) && granted == 0 {
                false
            } else {
                by_identity && limits
            }
        } else {
            granted > 0 && by_identity && limits
        };
        if yes { "Allowed" } else { no }
    }

    /// Whether some statement of these documents denies, and how directly the best allow reaches the caller (0: none).
    fn union(&self, documents: &[Value], place: In) -> (bool, u8) {
        let (mut denies, mut allows) = (false, 0);
        for document in documents {
            let new = document["Version"] == "2012-10-17";
            let list = match &document["Statement"] {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            for statement in &list {
                let tier = self.statement(statement, new, place);
                if statement["Effect"] == "Deny" {
                    denies |= tier > 0;
                } else {
                    allows = allows.max(tier);
                }
            }
        }
        (denies, allows)
    }

    /// How the statement reaches the caller, if all of it matches.
    fn statement(&self, statement: &Value, new: bool, place: In) -> u8 {
        let allow = statement["Effect"] == "Allow";
        let tier = self.reaches(statement, place, allow);
        if tier > 0 && self.is_named(statement, allow) && self.is_covered(statement, new, place, allow) && self.holds(statement, new, allow)
        {
            tier
        } else {
            0
        }
    }

    fn reaches(&self, statement: &Value, place: In, allow: bool) -> u8 {
        let (element, not) = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(element), _) => (element, false),
            (_, Some(element)) => (element, true),
            (None, None) => {
                return match place {
                    In::Identity | In::Scp | In::Rcp => DIRECT,
                    In::Endpoint if !allow => DIRECT,
                    In::Endpoint | In::Resource | In::Trust => 0,
                };
            }
        };
        if self.principal == "anonymous" && place == In::Trust && allow {
            return 0;
        }
        let mut best = 0;
        if element == "*" {
            best = DIRECT;
        } else {
            for (kind, values) in element.as_object().unwrap() {
                for value in texts(values) {
                    best = best.max(self.tier(kind, &value));
                }
            }
        }
        if !not {
            return best;
        }
        let bounded = !allow && self.boundary.is_some() && self.account().is_some();
        if best == 0 || bounded { BEHIND } else { 0 }
    }

    fn tier(&self, kind: &str, value: &str) -> u8 {
        let yes = |is: bool, tier: u8| if is { tier } else { 0 };
        let caller = self.principal.as_str();
        if kind == "Service" || kind == "Federated" {
            let is_provider = caller.contains("-provider/");
            let is_service = !caller.starts_with("arn:") && caller != "anonymous";
            return yes(caller == value && !value.contains('*') && (if kind == "Service" { is_service } else { is_provider }), DIRECT);
        }
        if kind != "AWS" {
            return 0;
        }
        if value == "*" {
            return yes(caller == "anonymous" || self.account().is_some(), DIRECT);
        }
        let Some(own) = self.account() else { return 0 };
        if value == own || value == format!("arn:aws:iam::{own}:root") {
            return if self.is_root() { BEHIND } else { ACCOUNT };
        }
        // The root ARN is the account, and nothing else here is named by it.
        if value == caller && !value.contains(":role/") {
            return DIRECT;
        }
        let last = |arn: &str| arn.rsplit('/').next().unwrap().to_owned();
        let is_role = value.starts_with(&format!("arn:aws:iam::{own}:role/"));
        if is_role && caller.contains(":assumed-role/") {
            return yes(caller.split('/').nth(1) == Some(&last(value)), BEHIND);
        }
        if is_role && caller.contains(":role/") {
            return yes(last(caller) == last(value), BEHIND);
        }
        if value.starts_with(&format!("arn:aws:iam::{own}:user/")) && self.is_federated() {
            return yes(last(caller) == last(value), BEHIND);
        }
        0
    }

    fn is_named(&self, statement: &Value, allow: bool) -> bool {
        let not = statement.get("NotAction").is_some();
        let named = texts(if not { &statement["NotAction"] } else { &statement["Action"] }).iter().any(|pattern| {
            if pattern == "*" {
                return true;
            }
            if pattern == "*:*" {
                // Open: an allow covers less, a deny more.
                return allow == not;
            }
            let Some((service, name)) = pattern.split_once(':') else { return false };
            let is_odd = service.is_empty() || name.is_empty() || service.contains(['*', '?']);
            !is_odd && like(&pieces(&pattern.to_ascii_lowercase()), &chars(&self.action.to_ascii_lowercase()))
        });
        named != not
    }

    fn is_covered(&self, statement: &Value, new: bool, place: In, allow: bool) -> bool {
        let not = statement.get("NotResource").is_some();
        let Some(element) = statement.get(if not { "NotResource" } else { "Resource" }) else {
            return matches!(place, In::Trust | In::Resource) || !allow;
        };
        let patterns = texts(element);
        if patterns.is_empty() {
            return !allow;
        }
        let misplaced = |pattern: &String| new && split(pattern, new).iter().take(5).any(|part| part.contains("${"));
        if patterns.iter().any(misplaced) && (allow || not) {
            return false;
        }
        let narrow = allow != not;
        let found: Vec<Found> = patterns.iter().map(|pattern| self.resource(pattern, new, place, narrow, not)).collect();
        if !not {
            return found.contains(&Found::Yes);
        }
        let never = if allow { !found.contains(&Found::Senseless) } else { true };
        never && found.iter().all(|found| matches!(found, Found::No | Found::Senseless))
    }

    fn resource(&self, pattern: &str, new: bool, place: In, narrow: bool, not: bool) -> Found {
        if pattern == "*" {
            return Found::Yes;
        }
        let mut parts = split(pattern, new);
        if parts[0] != "arn" || parts.len() < 2 {
            return Found::Senseless;
        }
        let is_short = parts.len() < 6;
        let goes_on = match place {
            In::Identity => true,
            In::Resource | In::Trust | In::Endpoint => pattern.contains(['*', '?']),
            In::Scp => pattern.ends_with('*'),
            In::Rcp => false,
        };
        if is_short && (not || !goes_on) {
            return Found::Senseless;
        }
        if parts.get(2).is_some_and(|service| service.contains(['*', '?'])) {
            return Found::Senseless;
        }
        if new && parts.iter().take(5).any(|part| part.contains("${")) {
            return Found::Senseless;
        }
        while parts.len() < 6 {
            parts.push("*".into());
        }
        let asked: Vec<&str> = self.resource.splitn(6, ':').collect();
        let Some(resource) = self.fill(&parts[5], new) else {
            // A variable that is no variable makes no sense anywhere; one that is not filled only where an ARN is asked for.
            let is_broken = self.with_everything().fill(&parts[5], new).is_none();
            let asks_arn = asked.len() == 6 && asked[0] == "arn";
            return if is_broken {
                Found::Senseless
            } else if asks_arn {
                Found::Unfilled
            } else {
                Found::No
            };
        };
        if asked.len() < 6 || asked[0] != "arn" {
            return Found::No;
        }
        for at in 1..5 {
            if !like(&pieces(&parts[at].to_lowercase()), &chars(&asked[at].to_lowercase())) {
                return Found::No;
            }
        }
        let typed = ["iam", "ec2", "sqs", "kms", "lambda", "sns", "sts"].contains(&parts[2].to_lowercase().as_str());
        let before = parts[5].split(['/', ':']).next().unwrap_or_default();
        // In this language a variable's own characters are no wildcards.
        let before = without_variables(before, &parts[5]);
        let is_disputed = typed && parts[5] != "*" && before.contains(['*', '?']) && asked[5].contains(['/', ':']);
        if is_disputed && narrow {
            return Found::No;
        }
        if like(&resource, &chars(asked[5])) { Found::Yes } else { Found::No }
    }

    /// The same world, in which every variable has a value.
    fn with_everything(&self) -> World {
        let mut world = self.clone();
        world.context = BTreeMap::from([(String::from("\u{0}"), Value::Null)]);
        world
    }

    /// A pattern with its variables filled, as characters and wildcards. None if one cannot be.
    fn fill(&self, text: &str, new: bool) -> Option<Vec<Piece>> {
        let mut filled = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if rest.starts_with("${") && !new {
                match rest.find('}') {
                    Some(end) => {
                        filled.extend(rest[..=end].chars().map(Piece::Char));
                        rest = &rest[end + 1..];
                    }
                    None => {
                        filled.extend("${".chars().map(Piece::Char));
                        rest = &rest[2..];
                    }
                }
                continue;
            }
            if rest.starts_with("${") {
                let (value, after) = self.variable(&rest[2..])?;
                filled.extend(value.chars().map(Piece::Char));
                rest = after;
                continue;
            }
            filled.push(match c {
                '*' => Piece::Any,
                '?' => Piece::One,
                c => Piece::Char(c),
            });
            rest = &rest[c.len_utf8()..];
        }
        Some(filled)
    }

    fn variable<'a>(&self, inner: &'a str) -> Option<(String, &'a str)> {
        for special in ["*", "?", "$"] {
            if let Some(after) = inner.strip_prefix(&format!("{special}}}")) {
                return Some((special.into(), after));
            }
        }
        let stop = inner.find(['}', ','])?;
        let (key, tail) = inner.split_at(stop);
        if key.is_empty() || key.trim() != key {
            return None;
        }
        let (default, after) = match tail.strip_prefix('}') {
            Some(after) => (None, after),
            None => {
                let (default, after) = tail.strip_prefix(", '")?.split_once("'}")?;
                (Some(default.to_owned()), after)
            }
        };
        if self.context.contains_key("\u{0}") {
            return Some((String::new(), after));
        }
        let value = match self.context.get(&key.to_lowercase()) {
            Some(Value::String(value)) => Some(value.clone()),
            Some(_) => None,
            None => default,
        };
        Some((value?, after))
    }

    fn holds(&self, statement: &Value, new: bool, allow: bool) -> bool {
        let Some(operators) = statement.get("Condition").and_then(Value::as_object) else { return true };
        operators.iter().all(|(operator, keys)| {
            let keys = keys.as_object().unwrap();
            keys.iter().all(|(key, values)| self.condition(operator, key, &texts(values), new, allow))
        })
    }

    fn condition(&self, operator: &str, key: &str, wanted: &[String], new: bool, allow: bool) -> bool {
        let lower = operator.to_lowercase();
        let (set, rest) = match lower.split_once(':') {
            Some((set, rest)) => (Some(set), rest),
            None => (None, lower.as_str()),
        };
        let (name, if_exists) = match rest.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let given: Option<Vec<String>> = self.context.get(&key.to_lowercase()).map(texts);
        let is_many = matches!(self.context.get(&key.to_lowercase()), Some(Value::Array(_)));
        let is_null = given.as_ref().is_some_and(|values| values.iter().all(String::is_empty));
        if name == "null" {
            if if_exists {
                return false;
            }
            let absent = wanted.iter().any(|value| value.eq_ignore_ascii_case("true"));
            let present = wanted.iter().any(|value| value.eq_ignore_ascii_case("false"));
            let plain = if given.is_none() { absent } else { present && !is_null };
            let as_set = match (set, &given) {
                (Some("forallvalues"), None) => true,
                (Some(_), None) => false,
                _ => plain,
            };
            return if allow { plain && as_set } else { plain || as_set };
        }
        let known = [
            "stringequals",
            "stringnotequals",
            "stringequalsignorecase",
            "stringnotequalsignorecase",
            "stringlike",
            "stringnotlike",
            "numericequals",
            "numericnotequals",
            "numericlessthan",
            "numericlessthanequals",
            "numericgreaterthan",
            "numericgreaterthanequals",
            "bool",
            "ipaddress",
            "notipaddress",
            "arnequals",
            "arnlike",
            "arnnotequals",
            "arnnotlike",
        ];
        if !known.contains(&name) || !matches!(set, None | Some("forallvalues" | "foranyvalue")) {
            return false;
        }
        let negated = name.contains("not");
        let Some(values) = given else {
            let is_text = name.starts_with("string") || name.starts_with("arn");
            let all_filled = !is_text || wanted.iter().all(|value| !self.lacks(value, new, name));
            return match set {
                _ if if_exists => true,
                Some("forallvalues") => true,
                Some(_) => false,
                None => negated && (!allow || all_filled),
            };
        };
        let accepts = |value: &String| {
            let mut tests = wanted.iter().map(|wanted| self.compare(name, value, wanted, new));
            if negated { tests.all(|test| test == Some(false)) } else { tests.any(|test| test == Some(true)) }
        };
        match set {
            None => !is_many && accepts(&values[0]),
            Some("forallvalues") => is_null || values.iter().all(accepts),
            Some(_) => !is_null && values.iter().any(accepts),
        }
    }

    /// A variable in the value has no key.
    fn lacks(&self, value: &str, new: bool, name: &str) -> bool {
        if name.starts_with("arn") && (split(value, new).len() < 6 || split(value, new)[0] != "arn") {
            return false;
        }
        new && value.match_indices("${").any(|(at, _)| {
            let inner = &value[at + 2..];
            let key = inner.split(['}', ',']).next().unwrap_or_default();
            let is_default = inner[key.len()..].starts_with(',');
            inner.contains('}') && !["*", "?", "$", ""].contains(&key) && !is_default && !self.context.contains_key(&key.to_lowercase())
        })
    }

    /// Whether a value is what is wanted, negation aside. None if the two cannot be compared.
    fn compare(&self, name: &str, value: &str, wanted: &str, new: bool) -> Option<bool> {
        let base = name.replace("not", "");
        match base.as_str() {
            "stringlike" => Some(like(&self.fill(wanted, new)?, &chars(value))),
            "stringequals" => Some(self.text(wanted, new)? == value),
            "stringequalsignorecase" => Some(self.text(wanted, new)?.to_lowercase() == value.to_lowercase()),
            "bool" => {
                let read = |text: &str| text.to_lowercase().parse::<bool>().ok();
                Some(read(value)? == read(wanted)?)
            }
            "ipaddress" => {
                let address: std::net::Ipv4Addr = value.parse().ok()?;
                let (network, bits) = wanted.split_once('/').unwrap_or((wanted, "32"));
                let (network, bits): (std::net::Ipv4Addr, u32) = (network.parse().ok()?, bits.parse().ok()?);
                let cut = |address: std::net::Ipv4Addr| u64::from(u32::from(address)) >> (32 - bits);
                Some(cut(address) == cut(network))
            }
            "arnequals" | "arnlike" => {
                let (wanted, value): (Vec<String>, Vec<&str>) = (split(wanted, new), value.splitn(6, ':').collect());
                if wanted.len() < 6 || value.len() < 6 || wanted[0] != "arn" || value[0] != "arn" {
                    return None;
                }
                let mut all = true;
                for (wanted, value) in wanted.iter().zip(&value) {
                    all &= like(&self.fill(wanted, new)?, &chars(value));
                }
                Some(all)
            }
            _ => {
                // The tests use whole numbers only.
                let (value, wanted): (i64, i64) = (value.parse().ok()?, wanted.parse().ok()?);
                Some(match base.as_str() {
                    "numericequals" => value == wanted,
                    "numericlessthan" => value < wanted,
                    "numericlessthanequals" => value <= wanted,
                    "numericgreaterthan" => value > wanted,
                    _ => value >= wanted,
                })
            }
        }
    }

    /// A value in which stars are stars.
    fn text(&self, wanted: &str, new: bool) -> Option<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Char(c) => *c,
            Piece::One => '?',
            Piece::Any => '*',
        };
        Some(self.fill(wanted, new)?.iter().map(piece).collect())
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Piece {
    Char(char),
    One,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    Yes,
    No,
    /// A variable has no value.
    Unfilled,
    /// The pattern can never match anything.
    Senseless,
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn pieces(text: &str) -> Vec<Piece> {
    let piece = |c| match c {
        '*' => Piece::Any,
        '?' => Piece::One,
        c => Piece::Char(c),
    };
    text.chars().map(piece).collect()
}

/// Tries every way, remembering those that led nowhere.
fn like(pattern: &[Piece], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            if !reached[at] {
                continue;
            }
            match piece {
                Piece::Any => next[at..].fill(true),
                Piece::One if at < text.len() => next[at + 1] = true,
                Piece::Char(c) if at < text.len() && text[at] == *c => next[at + 1] = true,
                Piece::One | Piece::Char(_) => {}
            }
        }
        reached = next;
    }
    reached[text.len()]
}

/// The six parts of an ARN, whose variables may hold colons.
fn split(text: &str, new: bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    let all = chars(text);
    for (at, c) in all.iter().enumerate() {
        if new && *c == '$' && all.get(at + 1) == Some(&'{') {
            inside = true;
        }
        if *c == ':' && !inside && parts.len() < 6 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(*c);
        }
        if *c == '}' {
            inside = false;
        }
    }
    parts
}

/// The start of a resource up to its first separator, without what stands in braces.
fn without_variables(before: &str, whole: &str) -> String {
    if !before.contains("${") {
        return before.into();
    }
    // The separator may have been inside the variable: look again, with the variables taken out.
    let mut plain = String::new();
    let mut rest = whole;
    while let Some(at) = rest.find("${") {
        plain.push_str(&rest[..at]);
        match rest[at..].find('}') {
            Some(end) => rest = &rest[at + end + 1..],
            None => rest = "",
        }
    }
    plain.push_str(rest);
    plain.split(['/', ':']).next().unwrap_or_default().into()
}
