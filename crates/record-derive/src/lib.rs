//! `#[derive(Record)]`: a serde struct that the store keeps. See the crate `store`, which exports it.
//!
//! `#[record(kind = "user", key = id, unique(by_name = name), index(by_boundary = permissions_boundary, by_group = groups), sealed)]`.
//! A key or an index names one field, or two or three in parentheses. How a value folds and orders is said by the field's type (`KeyPart`),
//! so no caller can forget it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Data, DeriveInput, Error, Ident, LitStr, Result, Token, Type, parse_macro_input};

/// Derives `store::Record`, and one constant for each index: `by_name` becomes `BY_NAME`.
///
/// - `kind = "user"`: the name under which the store keeps these records. It never changes.
/// - `key = id` or `key = (user, name)`: what is unique among the records of this kind in one account.
/// - `unique(by_name = name)`: an index in which a value belongs to one record only, so it can be asked with `find`.
/// - `index(by_group = groups)`: an index. `None` adds no entry, a `Vec` one for each element.
/// - `sealed`: deleting or replacing a record erases what its older versions held from the history.
#[proc_macro_derive(Record, attributes(record))]
pub fn record(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    Declared::read(&input).and_then(|declared| declared.expand(&input)).unwrap_or_else(|e| e.to_compile_error()).into()
}

/// What the attribute says.
struct Declared {
    kind: LitStr,
    key: Vec<Ident>,
    indexes: Vec<DeclaredIndex>,
    sealed: bool,
}

struct DeclaredIndex {
    name: Ident,
    unique: bool,
    fields: Vec<Ident>,
}

impl Declared {
    fn read(input: &DeriveInput) -> Result<Declared> {
        let (mut kind, mut key, mut indexes, mut sealed) = (None::<LitStr>, None::<Vec<Ident>>, Vec::<DeclaredIndex>::new(), false);
        for attr in input.attrs.iter().filter(|a| a.path().is_ident("record")) {
            attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("kind") {
                    kind = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("key") {
                    key = Some(fields(meta.value()?)?);
                } else if meta.path.is_ident("sealed") {
                    sealed = true;
                } else if meta.path.is_ident("unique") || meta.path.is_ident("index") {
                    let unique = meta.path.is_ident("unique");
                    meta.parse_nested_meta(|index| {
                        let name = index.path.require_ident()?.clone();
                        if indexes.iter().any(|other| other.name == name) {
                            return Err(index.error("this index is declared twice"));
                        }
                        indexes.push(DeclaredIndex { name, unique, fields: fields(index.value()?)? });
                        Ok(())
                    })?;
                } else {
                    return Err(meta.error("expected kind, key, unique, index or sealed"));
                }
                Ok(())
            })?;
        }
        let (Some(kind), Some(key)) = (kind, key) else { return Err(Error::new_spanned(&input.ident, "a record has a kind and a key")) };
        Ok(Declared { kind, key, indexes, sealed })
    }

    fn expand(&self, input: &DeriveInput) -> Result<TokenStream> {
        let Declared { kind, sealed, .. } = self;
        let (ident, vis) = (&input.ident, &input.vis);
        let (key_type, key_value) = (key_type(input, &self.key)?, value(&self.key));
        let mut constants = vec![];
        let mut adds = vec![];
        for DeclaredIndex { name, unique, fields } in &self.indexes {
            let (text, constant) = (name.to_string(), format_ident!("{}", name.to_string().to_uppercase(), span = name.span()));
            let (of, value) = (index_type(input, fields)?, value(fields));
            let doc = format!("The records in the order of their {}.", fields.iter().map(Ident::to_string).collect::<Vec<_>>().join(", "));
            constants.push(quote!(#[doc = #doc] #vis const #constant: ::store::Index<Self, #of, #unique> = ::store::Index::named(#text);));
            adds.push(quote!(entries.add(Self::#constant, #value);));
        }
        Ok(quote! {
            impl ::store::Record for #ident {
                const KIND: &'static str = #kind;
                const SEALED: bool = #sealed;
                type Key = #key_type;
                fn key(&self) -> ::std::vec::Vec<u8> { ::store::KeyPart::bytes(#key_value) }
                fn entries(&self, entries: &mut ::store::Entries) { let _ = &entries; #(#adds)* }
            }
            impl #ident { #(#constants)* }
        })
    }
}

/// `name`, or `(path, name)`, or three.
fn fields(input: ParseStream<'_>) -> Result<Vec<Ident>> {
    if !input.peek(syn::token::Paren) {
        return Ok(vec![input.parse()?]);
    }
    let inner;
    syn::parenthesized!(inner in input);
    let fields: Vec<Ident> = inner.parse_terminated(Ident::parse, Token![,])?.into_iter().collect();
    if (1..=3).contains(&fields.len()) { Ok(fields) } else { Err(inner.error("expected one to three fields")) }
}

fn type_of<'i>(input: &'i DeriveInput, name: &Ident) -> Result<&'i Type> {
    let Data::Struct(data) = &input.data else { return Err(Error::new_spanned(&input.ident, "a record is a struct")) };
    let field = data.fields.iter().find(|f| f.ident.as_ref() == Some(name));
    field.map(|f| &f.ty).ok_or_else(|| Error::new_spanned(name, "no such field"))
}

fn key_type(input: &DeriveInput, names: &[Ident]) -> Result<TokenStream> {
    let types = names.iter().map(|n| type_of(input, n)).collect::<Result<Vec<_>>>()?;
    Ok(if let [one] = types[..] { quote!(#one) } else { quote!((#(#types),*)) })
}

/// What an index is asked by: an `Option` and a `Vec` by what they hold.
fn index_type(input: &DeriveInput, names: &[Ident]) -> Result<TokenStream> {
    if let [one] = names {
        let ty = type_of(input, one)?;
        Ok(quote!(<#ty as ::store::Indexed>::Key))
    } else {
        key_type(input, names)
    }
}

fn value(names: &[Ident]) -> TokenStream {
    if let [one] = names { quote!(&self.#one) } else { quote!(&(#(&self.#names),*)) }
}
