//! `#[derive(Text)]` on an enum: a choice of texts.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DataEnum, DeriveInput, Fields, LitStr, Variant};

pub(crate) fn expand(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let (as_is, quiet) = options(input)?;
    let mut texts = vec![];
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(syn::Error::new_spanned(variant, "the variants of a choice hold nothing"));
        }
        texts.push(spelled(variant, as_is)?);
    }
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let constraint = if quiet {
        "Member must satisfy enum value set".to_owned()
    } else {
        format!("Member must satisfy enum value set: [{}]", texts.join(", "))
    };
    Ok(quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            /// Every choice, in the order of the declaration.
            pub const ALL: &'static [Self] = &[#(Self::#variants),*];
            /// As it is written on the wire.
            pub const fn as_str(&self) -> &'static str {
                match self { #(Self::#variants => #texts),* }
            }
        }
        #[automatically_derived]
        impl ::core::str::FromStr for #ident {
            type Err = ::std::vec::Vec<::std::string::String>;
            fn from_str(__text: &str) -> ::core::result::Result<Self, Self::Err> {
                match __text {
                    #(#texts => ::core::result::Result::Ok(Self::#variants),)*
                    _ => ::core::result::Result::Err(::std::vec![::std::string::String::from(#constraint)]),
                }
            }
        }
        #[automatically_derived]
        impl ::core::fmt::Display for #ident {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __f.write_str(self.as_str())
            }
        }
        #[automatically_derived]
        impl ::wire::Shape for #ident {
            const KIND: ::wire::Kind = ::wire::Kind::Choice(&[#(#texts),*]);
            fn read(__node: &::wire::Node, __at: &mut ::wire::Reader) -> ::core::option::Option<Self> {
                __at.parse(__node, #quiet)
            }
            fn write(self) -> ::wire::Node {
                ::wire::Node::text(self.as_str())
            }
        }
        #[automatically_derived]
        impl ::wire::derived::serde::Serialize for #ident {
            fn serialize<S: ::wire::derived::serde::Serializer>(&self, __to: S) -> ::core::result::Result<S::Ok, S::Error> {
                __to.serialize_str(self.as_str())
            }
        }
        #[automatically_derived]
        impl<'de> ::wire::derived::serde::Deserialize<'de> for #ident {
            fn deserialize<D: ::wire::derived::serde::Deserializer<'de>>(__from: D) -> ::core::result::Result<Self, D::Error> {
                let __text = <::std::string::String as ::wire::derived::serde::Deserialize<'de>>::deserialize(__from)?;
                __text.parse().map_err(|_| <D::Error as ::wire::derived::serde::de::Error>::unknown_variant(&__text, &[#(#texts),*]))
            }
        }
    })
}

fn options(input: &DeriveInput) -> syn::Result<(bool, bool)> {
    let (mut as_is, mut quiet) = (false, false);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("text")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("as_is") {
                as_is = true;
            } else if meta.path.is_ident("quiet") {
                quiet = true;
            } else {
                return Err(meta.error("expected as_is or quiet"));
            }
            Ok(())
        })?;
    }
    Ok((as_is, quiet))
}

/// How a variant is written: `ServiceControlPolicy` is `SERVICE_CONTROL_POLICY`, unless something else is asked for.
fn spelled(variant: &Variant, as_is: bool) -> syn::Result<String> {
    let mut rename: Option<LitStr> = None;
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("text")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                rename = Some(meta.value()?.parse()?);
                Ok(())
            } else {
                Err(meta.error("expected rename"))
            }
        })?;
    }
    let name = variant.ident.unraw().to_string();
    Ok(match rename {
        Some(rename) => rename.value(),
        None if as_is => name,
        None => screaming(&name),
    })
}

fn screaming(variant: &str) -> String {
    let mut out = String::new();
    for (at, letter) in variant.chars().enumerate() {
        if at > 0 && letter.is_uppercase() {
            out.push('_');
        }
        out.extend(letter.to_uppercase());
    }
    out
}
