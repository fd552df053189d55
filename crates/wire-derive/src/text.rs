//! `#[derive(Text)]` on a struct around `Box<str>`.

use crate::pattern;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataStruct, DeriveInput, Fields, Ident, LitInt, LitStr};

#[derive(Default)]
struct Options {
    min: Option<LitInt>,
    max: Option<LitInt>,
    pattern: Option<LitStr>,
    regex: Option<LitStr>,
    quiet: bool,
    sensitive: bool,
    says: Option<LitStr>,
}

pub(crate) fn expand(input: &DeriveInput, data: &DataStruct) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    if !matches!(&data.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1) {
        return Err(syn::Error::new_spanned(ident, "a text is a struct around Box<str>"));
    }
    let options = options(input)?;
    let min = options.min.as_ref().map_or_else(|| quote!(0usize), |min| quote!(#min));
    let max = options.max.as_ref().map_or_else(|| quote!(::core::primitive::usize::MAX), |max| quote!(#max));
    let printed = options.pattern.as_ref().map(LitStr::value).unwrap_or_default();
    let decided = options.regex.as_ref().or(options.pattern.as_ref());
    let matcher = decided.map_or_else(|| Ok(quote!(::wire::Matcher::Any)), pattern::matcher)?;
    let quiet = options.quiet || options.sensitive;
    let says = options.says.as_ref().map(LitStr::value).unwrap_or_default();
    let exposure = if options.sensitive { secret(ident) } else { shown(ident) };
    let out = if options.sensitive { quote!(self.0.to_string()) } else { quote!(self.0.into_string()) };
    Ok(quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            /// What AWS's model asks of it.
            pub const RULES: &'static ::wire::TextRules =
                &::wire::TextRules { min: #min, max: #max, pattern: #printed, matcher: #matcher, quiet: #quiet, says: #says };
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        #[automatically_derived]
        impl ::core::str::FromStr for #ident {
            type Err = ::std::vec::Vec<::std::string::String>;
            fn from_str(__text: &str) -> ::core::result::Result<Self, Self::Err> {
                static COMPILED: ::wire::Compiled = ::wire::Compiled::new();
                Self::RULES.check(__text, &COMPILED).map(|()| Self(__text.into()))
            }
        }
        #[automatically_derived]
        impl ::wire::Shape for #ident {
            const KIND: ::wire::Kind = ::wire::Kind::Text(Self::RULES);
            fn read(__node: &::wire::Node, __at: &mut ::wire::Reader) -> ::core::option::Option<Self> {
                __at.parse_text(__node, Self::RULES)
            }
            fn write(self) -> ::wire::Node {
                ::wire::Node::Text(#out)
            }
        }
        #exposure
    })
}

/// What a text has that may be seen.
fn shown(ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Display for #ident {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __f.write_str(&self.0)
            }
        }
        #[automatically_derived]
        impl ::core::convert::AsRef<str> for #ident {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        #[automatically_derived]
        impl ::wire::derived::serde::Serialize for #ident {
            fn serialize<S: ::wire::derived::serde::Serializer>(&self, __to: S) -> ::core::result::Result<S::Ok, S::Error> {
                __to.serialize_str(&self.0)
            }
        }
        #[automatically_derived]
        impl<'de> ::wire::derived::serde::Deserialize<'de> for #ident {
            fn deserialize<D: ::wire::derived::serde::Deserializer<'de>>(__from: D) -> ::core::result::Result<Self, D::Error> {
                <::std::boxed::Box<str> as ::wire::derived::serde::Deserialize<'de>>::deserialize(__from).map(Self)
            }
        }
    }
}

/// What a secret has instead.
fn secret(ident: &Ident) -> TokenStream {
    let name = ident.to_string();
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __f.write_str(#name)?;
                __f.write_str("(…)")
            }
        }
        #[automatically_derived]
        impl ::core::ops::Drop for #ident {
            fn drop(&mut self) {
                ::wire::derived::zeroize::Zeroize::zeroize(&mut self.0);
            }
        }
    }
}

fn options(input: &DeriveInput) -> syn::Result<Options> {
    let mut options = Options::default();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("text")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("min") {
                options.min = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("max") {
                options.max = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("pattern") {
                options.pattern = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("regex") {
                options.regex = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("says") {
                options.says = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("quiet") {
                options.quiet = true;
            } else if meta.path.is_ident("sensitive") {
                options.sensitive = true;
            } else {
                return Err(meta.error("expected min, max, pattern, regex, says, quiet or sensitive"));
            }
            Ok(())
        })?;
    }
    if let (Some(regex), None) = (&options.regex, &options.pattern) {
        return Err(syn::Error::new_spanned(regex, "a regex stands beside the pattern that messages print"));
    }
    Ok(options)
}
