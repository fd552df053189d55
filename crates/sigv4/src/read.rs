//! Takes the credentials out of a request, and refuses a request that could be read in two ways.

use crate::presented::{Content, Presented};
use crate::presigned::Parameters;
use crate::request::same_name;
use crate::time::Stamp;
use crate::{Form, MOST_HEADERS, Place, Reason, Request, Style, authorization, presigned};

/// Reads what a request presents. `None` is a request without a signature: anonymous.
///
/// # Errors
/// Whatever is wrong with the credentials as such: missing or malformed parts, a scheme that is not SigV4's, credentials in two places, a
/// header or parameter that comes twice or in another spelling, a date that is not the scope's.
pub fn read<'a>(request: &Request<'a>) -> Result<Option<Presented<'a>>, Reason> {
    let sent = Sent::read(request)?;
    let query = request.query();
    let parameters = if query.is_empty() { None } else { Some(Parameters::read(query)?) };
    let presented = match (sent.authorization, parameters) {
        (Some(_), Some(parameters)) if parameters.any() => return Err(Reason::TwoPlaces),
        (Some(authorization), _) => from_header(&sent, authorization)?,
        (None, Some(parameters)) if parameters.presigned() => from_query(&sent, &parameters)?,
        (None, Some(parameters)) if parameters.old() => return Err(Reason::Scheme { scheme: "AWS".into() }),
        (None, _) => return Ok(None),
    };
    if presented.scope.date != presented.stamp.day() {
        return Err(Reason::ScopeDate { scope: presented.scope.date.into(), stamp: presented.timestamp().into() });
    }
    Ok(Some(presented))
}

#[inline]
fn from_header<'a>(sent: &Sent<'a>, authorization: &'a str) -> Result<Presented<'a>, Reason> {
    let parts = authorization::read(authorization, sent.amz_date.is_some() || sent.date.is_some())?;
    let date = sent.amz_date.or(sent.date).unwrap_or_default();
    let stamp = if sent.amz_date.is_some() { Stamp::read(date) } else { Stamp::read_date_header(date) };
    let (stamp, at) = stamp.ok_or_else(|| Reason::Date { text: crate::reason::short(date), place: Place::Header })?;
    let style = match Style::of(parts.scope.service) {
        // S3's relatives have control planes under the same name, which sign as all other services do.
        Style::S3 if parts.scope.service != "s3" && sent.content.is_none() => Style::Aws,
        style @ (Style::S3 | Style::Aws) => style,
    };
    Ok(Presented {
        key_id: parts.key_id,
        token: sent.token.map(Into::into),
        scope: parts.scope,
        at,
        form: Form::Header,
        style,
        host: sent.host,
        stamp,
        signature: parts.signature,
        signed_headers: parts.signed_headers.into(),
        content: Content { header: sent.content, parameter: None },
    })
}

fn from_query<'a>(sent: &Sent<'a>, parameters: &Parameters<'a>) -> Result<Presented<'a>, Reason> {
    let parts = presigned::read(parameters)?;
    let token = match (parts.token, sent.token) {
        (Some(_), Some(_)) => return Err(Reason::Repeated { name: "x-amz-security-token".into() }),
        (token, header) => token.or(header.map(Into::into)),
    };
    Ok(Presented {
        key_id: parts.key_id,
        token,
        scope: parts.scope,
        at: parts.at,
        form: Form::Query { expires: parts.expires },
        style: Style::of(parts.scope.service),
        host: sent.host,
        stamp: parts.stamp,
        signature: parts.signature,
        signed_headers: parts.signed_headers,
        content: Content { header: sent.content, parameter: parts.content },
    })
}

/// The headers that authentication reads. Each may come once.
#[derive(Default)]
struct Sent<'a> {
    authorization: Option<&'a str>,
    amz_date: Option<&'a str>,
    date: Option<&'a str>,
    token: Option<&'a str>,
    content: Option<&'a str>,
    host: &'a str,
}

impl<'a> Sent<'a> {
    fn read(request: &Request<'a>) -> Result<Sent<'a>, Reason> {
        if request.headers.len() > MOST_HEADERS {
            return Err(Reason::TooManyHeaders);
        }
        let mut sent = Sent::default();
        let mut host = None;
        for &(name, value) in request.headers {
            // Lengths first: most headers are none of these.
            match name.len() {
                4 if same_name(name, "host") => once(&mut host, name, value)?,
                4 if same_name(name, "date") => once(&mut sent.date, name, value)?,
                10 if same_name(name, "x-amz-date") => once(&mut sent.amz_date, name, value)?,
                13 if same_name(name, "authorization") => once(&mut sent.authorization, name, value)?,
                20 if same_name(name, "x-amz-security-token") => once(&mut sent.token, name, value)?,
                20 if same_name(name, "x-amz-content-sha256") => once(&mut sent.content, name, value)?,
                _ => {}
            }
        }
        sent.host = host.unwrap_or_default();
        Ok(sent)
    }
}

fn once<'a>(place: &mut Option<&'a str>, name: &str, value: &'a [u8]) -> Result<(), Reason> {
    if place.is_some() {
        return Err(Reason::Repeated { name: name.to_ascii_lowercase().into() });
    }
    // Which characters each may hold is seen where it is read, or where it is written into the text that is signed.
    *place = str::from_utf8(value.trim_ascii()).ok();
    if place.is_some() { Ok(()) } else { Err(Reason::Header { name: name.to_ascii_lowercase().into() }) }
}
