//! The derives of `wire`: `#[derive(Shape)]` for a struct that crosses the wire, `#[derive(Text)]` for a string that AWS constrains.

mod choice;
mod pattern;
mod shape;
mod text;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, parse_macro_input};

/// Reads and writes a struct.
///
/// On the struct: `#[shape(camel)]` (fields are `userName`, not `UserName`), `#[shape(http = "PUT /analyzer/{analyzerName}")]`.
/// On a field: `name = "SAMLProviderArn"`; `flatten` (the members of another struct stand here); `default` (the type's `Default` where it is
/// not sent); `required` (for a list, which may otherwise be left out); `min = 1`, `max = 50` (elements or characters).
#[proc_macro_derive(Shape, attributes(shape))]
pub fn shape(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    shape::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A text with rules, or a choice of texts.
///
/// On `struct Name(Box<str>)`: `min`, `max` (characters), `pattern` (as AWS's model prints it; it is compiled by the derive, and one that does not
/// parse is an error of compilation), `regex` (what is decided where the pattern needs what the `regex` crate has not, such as look-ahead), `says` (AWS's own
/// words for a text that breaks the pattern, `{}` being the member), `quiet` (messages do not repeat the text), `sensitive` (quiet, and: `Debug` shows nothing, no `Display`, no serde, wiped when dropped).
/// The one door in is `FromStr`, whose error is every constraint that the text breaks. Deserializing is for records: it trusts that the text came
/// in by that door, so that rules may grow stricter without making a record unreadable. Never deserialize a request with it.
///
/// On an enum of unit variants: variants are written `SCREAMING_SNAKE`; `#[text(as_is)]` writes them as they stand; `#[text(rename = "…")]` on a
/// variant writes it so; `#[text(quiet)]` leaves the value and the set out of messages.
#[proc_macro_derive(Text, attributes(text))]
pub fn text(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = match &input.data {
        Data::Enum(data) => choice::expand(&input, data),
        Data::Struct(data) => text::expand(&input, data),
        Data::Union(_) => Err(syn::Error::new_spanned(&input.ident, "a text is a struct around Box<str> or an enum")),
    };
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
