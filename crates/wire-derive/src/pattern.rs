//! Patterns of AWS's models, decided when the code is compiled where that is possible.
//!
//! AWS's flavour is Java's: `\w`, `\d` and `\s` are ASCII, `\uXXXX` is a character, `\p{L}` is Unicode's, and the whole text must match. Most
//! patterns repeat one class of characters; those become a table, and no regular expression runs for them.

use proc_macro2::TokenStream;
use quote::quote;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition};
use syn::LitStr;

/// The `wire::Matcher` of a pattern.
pub(crate) fn matcher(pattern: &LitStr) -> syn::Result<TokenStream> {
    let regex = translated(&pattern.value()).map_err(|error| syn::Error::new_spanned(pattern, error))?;
    let hir = regex_syntax::parse(&regex).map_err(|error| syn::Error::new_spanned(pattern, error.to_string()))?;
    if let Some((class, empty)) = repeated_class(&hir) {
        return Ok(table(class, empty));
    }
    let anchored = format!(r"\A(?:{regex})\z");
    Ok(quote!(::wire::Matcher::Regex(#anchored)))
}

/// The class, if the pattern is `[…]*` or `[…]+` (between `^` and `$` or not), and whether the empty text will do.
fn repeated_class(hir: &Hir) -> Option<(&ClassUnicode, bool)> {
    if let HirKind::Concat(parts) = hir.kind() {
        let [first, middle, last] = parts.as_slice() else { return None };
        let whole = matches!(first.kind(), HirKind::Look(Look::Start)) && matches!(last.kind(), HirKind::Look(Look::End));
        return if whole { repeated_class(middle) } else { None };
    }
    let HirKind::Repetition(Repetition { min: min @ (0 | 1), max: None, sub, .. }) = hir.kind() else { return None };
    let inner = if let HirKind::Capture(capture) = sub.kind() { &capture.sub } else { sub };
    if let HirKind::Class(Class::Unicode(class)) = inner.kind() { Some((class, *min == 0)) } else { None }
}

fn table(class: &ClassUnicode, empty: bool) -> TokenStream {
    let mut ascii = 0u128;
    let mut beyond = vec![];
    for range in class.ranges() {
        for code in u32::from(range.start())..=u32::from(range.end()).min(0x7F) {
            ascii |= 1 << code;
        }
        if range.end() > '\u{7F}' {
            let (start, end) = (range.start().max('\u{80}'), range.end());
            beyond.push(quote!((#start, #end)));
        }
    }
    quote!(::wire::Matcher::Each { ascii: #ascii, beyond: &[#(#beyond),*], empty: #empty })
}

/// AWS's flavour as the `regex` crate's.
fn translated(pattern: &str) -> Result<String, String> {
    // Written by people who meant the characters beyond the first plane; four digits are all that `\u` takes.
    let pattern = pattern.replace(r"\u10000-\u10FFFF", r"\x{10000}-\x{10FFFF}");
    let mut out = String::new();
    let mut letters = pattern.chars().peekable();
    let mut in_class = 0usize;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('s') => out.push_str(r"[\t\n\x0B\x0C\r ]"),
                Some('S') => out.push_str(r"[^\t\n\x0B\x0C\r ]"),
                Some('u') => {
                    let digits: String = letters.by_ref().take(4).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    let code = code.ok_or_else(|| format!(r"\u{digits} is no character"))?;
                    out.push_str(&format!(r"\x{{{:X}}}", u32::from(code)));
                }
                Some(other) => out.extend(['\\', other]),
                None => return Err("the pattern ends in a backslash".to_owned()),
            },
            '[' => {
                in_class += 1;
                out.push('[');
            }
            ']' => {
                in_class = in_class.saturating_sub(1);
                out.push(']');
            }
            // Twice in a class they would be set operations here.
            '&' | '~' if in_class > 0 => out.extend(['\\', letter]),
            letter => out.push(letter),
        }
    }
    Ok(out)
}
