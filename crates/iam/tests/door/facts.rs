//! What every request has, whatever the facts about its service say.

/// Whether every request has this key, whatever it asks: a key of AWS's own that tells of neither tags nor resources.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
pub fn is_general(key: &str) -> bool {
    let tells = ["aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys"];
    key.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("aws:"))
        && !tells.iter().any(|tells| key.get(..tells.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tells)))
}
