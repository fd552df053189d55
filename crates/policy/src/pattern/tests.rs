use super::*;
use crate::facts::{Context, Nothing};

const NEW: Reading = Reading { wildcards: true, dollar: Dollar::Variable };
const OLD: Reading = Reading { wildcards: true, dollar: Dollar::Text };
const PLAIN: Reading = Reading { wildcards: true, dollar: Dollar::Plain };

fn matches(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern, NEW).matches(text, &Nothing) == Match::Yes
}

#[test]
fn wildcards_stand_for_runs_and_characters() {
    for (pattern, text) in [
        ("", ""),
        ("*", ""),
        ("*", "anything/at:all"),
        ("a*", "a"),
        ("a*c", "abbbc"),
        ("*c", "abc"),
        ("a?c", "abc"),
        ("?", "é"),
        ("*?", "x"),
        ("??", "日本"),
        ("*a*b*", "xaybz"),
        ("a**b", "ab"),
        ("*.csv", "a.csv.csv"),
        ("ab*ab", "abab"),
        ("*ab", "aab"),
        ("a*a*a", "aaa"),
    ] {
        assert!(matches(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("", "a"),
        ("a", ""),
        ("a*c", "ab"),
        ("?", ""),
        ("?", "ab"),
        ("???", "日本"),
        ("ab*ab", "aba"),
        ("a*a*a", "aa"),
        ("*a", "ab"),
        ("A", "a"),
        ("a?", "a"),
    ] {
        assert!(!matches(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn matching_is_bounded_by_text_times_pattern() {
    // A matcher that goes back to every star would need 10^20 steps and more here.
    let pattern = Pattern::new(&"*a".repeat(1_000), PLAIN);
    let text = "a".repeat(999).repeat(20) + "b";
    let begun = std::time::Instant::now();
    assert_eq!(pattern.matches(&text, &Nothing), Match::No);
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn the_greedy_walk_agrees_with_trying_everything() {
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some(('*', rest)), None) => slow(rest, text),
            (Some(('*', rest)), Some((_, after))) => slow(rest, text) || slow(pattern, after),
            (Some(('?', rest)), Some((_, after))) => slow(rest, after),
            (Some((one, rest)), Some((other, after))) => one == other && slow(rest, after),
            (Some(_), None) => false,
        }
    }
    fn each(alphabet: &str, longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            last = last.iter().flat_map(|text| alphabet.chars().map(move |c| format!("{text}{c}"))).collect();
            all.extend(last.clone());
        }
        all
    }
    let texts = each("aé", 5);
    for pattern in each("aé*?", 5) {
        let compiled = Pattern::new(&pattern, PLAIN);
        let chars: Vec<char> = pattern.chars().collect();
        for text in &texts {
            let wanted = slow(&chars, &text.chars().collect::<Vec<_>>());
            assert_eq!(compiled.matches(text, &Nothing) == Match::Yes, wanted, "{pattern} {text}");
        }
    }
}

#[test]
fn variables_are_read_as_they_are_written() {
    let read = |text| variables(text).map(|variable| (variable.shown, variable.fallback)).collect::<Vec<_>>();
    assert_eq!(read("a${aws:username}b${s3:prefix, 'x}y'}"), [("aws:username", None), ("s3:prefix", Some("x}y"))]);
    assert_eq!(read("${*}${?}${$}$x{y}"), []);
    assert_eq!(read("${aws:PrincipalTag/a b}"), [("aws:PrincipalTag/a b", None)]);
    for text in ["${", "${a", "${}", "${a,'b'}", "${a, b}", "${a, 'b}", "${, 'b'}", "${ a}", "${a , 'b'}"] {
        assert!(is_broken(text), "{text}");
        assert_eq!(Pattern::new(text, NEW).matches(text, &Nothing), Match::Unfilled, "{text}");
    }
    for text in ["$", "$$", "a$b", "{a}", "$ {a}"] {
        assert!(!is_broken(text) && matches(text, text), "{text}");
    }
}

#[test]
fn what_fills_a_variable_is_literal() {
    let mut context = Context::new();
    context.insert("a", "*?${a}");
    let pattern = Pattern::new("x${A}*", NEW);
    assert_eq!(pattern.matches("x*?${a}tail", &context), Match::Yes);
    assert_eq!(pattern.matches("xanything", &context), Match::No);
    assert_eq!(pattern.matches("xanything", &Nothing), Match::Unfilled);
}

#[test]
fn many_variables_are_asked_once_each() {
    let mut context = Context::new();
    context.insert("a", "a");
    let pattern = Pattern::new(&format!("*{}b", "${a}".repeat(1_500)), NEW);
    let begun = std::time::Instant::now();
    assert_eq!(pattern.matches(&"a".repeat(8_000), &context), Match::No);
    assert_eq!(pattern.matches(&format!("{}b", "a".repeat(8_000)), &context), Match::Yes);
    assert!(begun.elapsed().as_secs() < 20);
    let ten: Vec<String> = (0..10).map(|at| format!("${{k{at}}}")).collect();
    for at in 0..10 {
        context.insert(&format!("k{at}"), at.to_string());
    }
    assert_eq!(Pattern::new(&ten.join("-"), NEW).matches("0-1-2-3-4-5-6-7-8-9", &context), Match::Yes);
}

#[test]
fn in_the_old_version_what_is_in_braces_is_text() {
    let pattern = Pattern::new("${*}*${a?}", OLD);
    assert_eq!(pattern.matches("${*}xx${a?}", &Nothing), Match::Yes);
    assert_eq!(pattern.matches("${y}xx${ab}", &Nothing), Match::No);
    assert_eq!(Pattern::new("${a*", OLD).matches("${abc", &Nothing), Match::Yes);
}

#[test]
fn an_arn_is_split_at_five_colons_none_of_them_in_a_variable() {
    assert_eq!(parts("arn:aws:s3:::b/${aws:username}:x", Dollar::Variable), ["arn", "aws", "s3", "", "", "b/${aws:username}:x"]);
    assert_eq!(parts("arn:aws:${a:b:c}:d", Dollar::Variable), ["arn", "aws", "${a:b:c}", "d"]);
    assert_eq!(parts("arn:aws:${a:b}", Dollar::Text), ["arn", "aws", "${a", "b}"]);
    assert_eq!(parts("", Dollar::Plain), [""]);
    assert_eq!(parts("a:", Dollar::Plain), ["a", ""]);
}

#[test]
fn an_escaped_text_matches_itself_alone() {
    for text in ["plain", "*", "a?b*c", "${aws:username}", "$", "${*}", "$$*"] {
        let pattern = Pattern::new(&escape(text), NEW);
        assert_eq!(pattern.matches(text, &Nothing), Match::Yes, "{text}");
        assert!(pattern.pieces().iter().all(|piece| matches!(piece, Piece::Literal(_))), "{text}");
    }
}
