//! `#[derive(Shape)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Field, Fields, LitInt, LitStr};

/// How one field is written.
#[derive(Default)]
struct Options {
    name: Option<LitStr>,
    flatten: bool,
    default: bool,
    required: bool,
    min: Option<LitInt>,
    max: Option<LitInt>,
}

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "a shape is a struct; an enum of texts derives Text"));
    };
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(&input.generics, "a shape has no parameters"));
    }
    let (camel, http) = struct_options(input)?;
    let http = http.map_or_else(|| quote!(::core::option::Option::None), |http| quote!(::core::option::Option::Some(#http)));
    let ident = &input.ident;
    let type_name = ident.unraw().to_string();
    let (mut reads, mut fields, mut writes, mut members) = (vec![], vec![], vec![], vec![]);
    for field in &data.fields {
        let part = expand_field(field, camel)?;
        reads.push(part.read);
        fields.push(part.init);
        writes.push(part.write);
        members.push(part.member);
    }
    let size = members.len();
    let build = match &data.fields {
        Fields::Unit => quote!(Self),
        Fields::Named(_) | Fields::Unnamed(_) => quote!(Self { #(#fields),* }),
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::wire::Shape for #ident {
            const KIND: ::wire::Kind = ::wire::Kind::Struct(#type_name, <#ident as ::wire::Struct>::MEMBERS);
            #[allow(unused_variables)]
            fn read(__node: &::wire::Node, __at: &mut ::wire::Reader) -> ::core::option::Option<Self> {
                let __node = __at.structure(__node)?;
                #(#reads)*
                ::core::option::Option::Some(#build)
            }
            fn write(self) -> ::wire::Node {
                let mut __out = ::std::vec::Vec::with_capacity(#size);
                ::wire::Struct::write_members(self, &mut __out);
                ::wire::Node::Map(__out)
            }
        }
        #[automatically_derived]
        impl ::wire::Struct for #ident {
            const NAME: &'static str = #type_name;
            const MEMBERS: &'static [::wire::Member] = &[#(#members),*];
            const HTTP: ::core::option::Option<&'static str> = #http;
            #[allow(unused_variables)]
            fn write_members(self, __out: &mut ::wire::Members) {
                #(#writes)*
            }
        }
    })
}

struct Part {
    read: TokenStream,
    init: TokenStream,
    write: TokenStream,
    member: TokenStream,
}

fn expand_field(field: &Field, camel: bool) -> syn::Result<Part> {
    let Some(ident) = &field.ident else { return Err(syn::Error::new_spanned(field, "members have names")) };
    let options = field_options(field)?;
    let ty = &field.ty;
    let local = format_ident!("__{}", ident.unraw());
    let init = quote!(#ident: #local?);
    if options.flatten {
        return Ok(Part {
            read: quote!(let #local = <#ty as ::wire::Shape>::read(__node, __at);),
            init,
            write: quote!(::wire::Struct::write_members(self.#ident, __out);),
            member: quote!(::wire::Member::Flattened(<#ty as ::wire::Struct>::MEMBERS)),
        });
    }
    let name = options.name.as_ref().map_or_else(|| cased(&ident.unraw().to_string(), camel), LitStr::value);
    let reading = match (options.default, options.required) {
        (true, false) => quote!(member_or_default),
        (false, true) => quote!(required),
        (false, false) => quote!(member),
        (true, true) => return Err(syn::Error::new_spanned(ident, "a member with a default is not required")),
    };
    let required = match (options.default, options.required) {
        (true, _) => quote!(false),
        (_, true) => quote!(true),
        _ => quote!(<#ty as ::wire::Shape>::REQUIRED),
    };
    let min = options.min.as_ref().map_or_else(|| quote!(0usize), |min| quote!(#min));
    let max = options.max.as_ref().map_or_else(|| quote!(::core::primitive::usize::MAX), |max| quote!(#max));
    let bounds = (options.min.is_some() || options.max.is_some()).then(|| quote!(__at.length::<#ty>(__node, #name, #min, #max);));
    Ok(Part {
        read: quote!(#bounds let #local = __at.#reading::<#ty>(__node, #name);),
        init,
        write: quote!(__out.push((::wire::Name::Borrowed(#name), <#ty as ::wire::Shape>::write(self.#ident)));),
        member: quote! {
            ::wire::Member::Named(::wire::Field {
                name: #name,
                required: #required,
                length: (#min, #max),
                kind: <#ty as ::wire::Shape>::KIND,
            })
        },
    })
}

fn field_options(field: &Field) -> syn::Result<Options> {
    let mut options = Options::default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("shape")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                options.name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("flatten") {
                options.flatten = true;
            } else if meta.path.is_ident("default") {
                options.default = true;
            } else if meta.path.is_ident("required") {
                options.required = true;
            } else if meta.path.is_ident("min") {
                options.min = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("max") {
                options.max = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("expected name, flatten, default, required, min or max"));
            }
            Ok(())
        })?;
    }
    let others = options.name.is_some() || options.default || options.required || options.min.is_some() || options.max.is_some();
    if options.flatten && others {
        return Err(syn::Error::new_spanned(&field.ident, "a flattened struct has no name, default or bounds of its own"));
    }
    Ok(options)
}

/// `camel`, and for REST-JSON `http = "PUT /analyzer/{analyzerName}"`.
fn struct_options(input: &DeriveInput) -> syn::Result<(bool, Option<LitStr>)> {
    let (mut camel, mut http) = (false, None);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("shape")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("camel") {
                camel = true;
            } else if meta.path.is_ident("http") {
                http = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("expected camel or http"));
            }
            Ok(())
        })?;
    }
    Ok((camel, http))
}

/// `user_name` as `UserName`, or as `userName` for the REST-JSON services.
fn cased(field: &str, camel: bool) -> String {
    let mut out = String::new();
    for (at, word) in field.split('_').enumerate() {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            if at == 0 && camel { out.push(first) } else { out.extend(first.to_uppercase()) }
        }
        out.push_str(letters.as_str());
    }
    out
}
