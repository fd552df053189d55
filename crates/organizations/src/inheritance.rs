//! The effective policy: what is attached from the root down to an account, merged. No I/O.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_inheritance_mgmt.html>.
//!
//! Policies of one target are merged in the order in which they were attached: the first that assigns a setting wins. What they allow
//! those further down is what all of them allow, and can never be widened again. An operator that is not allowed is passed over.

use crate::policy_syntax::Syntax;
use crate::policy_trees::{Branch, Operators, Setting};
use identities::OrganizationPolicyId;

/// A policy that takes part.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Its id.
    pub id: OrganizationPolicyId,
    /// Its document.
    pub document: Branch,
}

/// A node of the effective policy.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    /// Its key, as it is shown.
    pub key: String,
    /// What it is set to.
    pub setting: Option<Setting>,
    /// What is below.
    pub below: Vec<Merged>,
    /// Who had a part in it.
    pub by: Vec<OrganizationPolicyId>,
    allowed: Operators,
}

/// Nodes of one place in the documents of one target.
type Here<'d> = Vec<(&'d OrganizationPolicyId, &'d Branch)>;

impl Merged {
    fn new(key: String) -> Self {
        Merged { key, setting: None, below: Vec::new(), by: Vec::new(), allowed: Operators::ALL }
    }

    /// Merges the policies of each level, the root's first.
    pub fn of(levels: &[Vec<Part>], syntax: &Syntax) -> Merged {
        let mut root = Merged::new(String::new());
        for level in levels {
            root.take(&level.iter().map(|part| (&part.id, &part.document)).collect(), Some(syntax));
        }
        root
    }

    fn take(&mut self, here: &Here<'_>, syntax: Option<&Syntax>) {
        let allowed = self.allowed;
        for (id, branch) in here {
            if branch.is_leaf() && !self.by.contains(id) {
                self.by.push((*id).clone());
            }
        }
        if allowed.assign
            && let Some(assigned) = here.iter().find_map(|(_, branch)| branch.assign.as_ref())
        {
            self.setting = Some(assigned.clone());
        }
        if allowed.append {
            here.iter().filter_map(|(_, branch)| branch.append.as_ref()).for_each(|more| self.append(more));
        }
        if allowed.remove {
            here.iter().filter_map(|(_, branch)| branch.remove.as_ref()).for_each(|gone| self.remove(gone));
        }
        for (folded, key) in keys(here) {
            let below: Here<'_> = here
                .iter()
                .flat_map(|(id, branch)| branch.below.iter().filter(|(key, _)| key.to_lowercase() == folded).map(|(_, below)| (*id, below)))
                .collect();
            let at = match self.below.iter().position(|node| node.key.to_lowercase() == folded) {
                Some(at) => at,
                None if allowed.may_add() => {
                    self.below.push(Merged::new(syntax.map_or_else(|| key.to_owned(), |syntax| syntax.shown(key))));
                    self.below.len() - 1
                }
                None => continue,
            };
            if let Some(node) = self.below.get_mut(at) {
                node.take(&below, syntax.and_then(|syntax| syntax.below(key)));
            }
        }
        self.allowed = here.iter().filter_map(|(_, branch)| branch.allowed).fold(allowed, Operators::and);
    }

    fn append(&mut self, more: &[crate::policy_trees::Scalar]) {
        match self.setting.get_or_insert_with(|| Setting::Many(Vec::new())) {
            Setting::Many(list) => {
                for one in more {
                    if !list.contains(one) {
                        list.push(one.clone());
                    }
                }
            }
            Setting::One(_) => {}
        }
    }

    fn remove(&mut self, gone: &[crate::policy_trees::Scalar]) {
        if let Some(Setting::Many(list)) = &mut self.setting {
            list.retain(|one| !gone.contains(one));
            if list.is_empty() {
                self.setting = None;
            }
        }
    }

    /// The node below with this key, whatever its case.
    pub fn get(&self, key: &str) -> Option<&Merged> {
        self.below.iter().find(|node| node.key.eq_ignore_ascii_case(key))
    }

    /// As a document without operators. What is empty is not there.
    pub fn value(&self) -> Option<serde_json::Value> {
        if let Some(setting) = &self.setting {
            return Some(setting.value());
        }
        let below: serde_json::Map<_, _> = self.below.iter().filter_map(|node| Some((node.key.clone(), node.value()?))).collect();
        (!below.is_empty()).then_some(serde_json::Value::Object(below))
    }
}

/// The keys of all nodes of one place, each once, folded and as it is written first.
fn keys<'d>(here: &Here<'d>) -> Vec<(String, &'d str)> {
    let mut keys: Vec<(String, &str)> = Vec::new();
    for (key, _) in here.iter().flat_map(|(_, branch)| &branch.below) {
        let folded = key.to_lowercase();
        if !keys.iter().any(|(known, _)| *known == folded) {
            keys.push((folded, key));
        }
    }
    keys
}

#[cfg(test)]
mod tests;
