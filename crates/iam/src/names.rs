//! Names as requests give them. Of a user that should be there, AWS takes a longer name than it gives any user: such a name is told as one
//! that cannot be found, not as one that breaks its form.

use identities::{NameKey, UserName};
use operation::{Caller, Protected, Resolved};
use store::{KeyPart, Names, Read, Tx};
use wire::Text;

/// What a user that should be there is named by. It is looked up whatever its case, as every user's name is.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 128, pattern = r"[\w+=,.@-]+")]
pub(crate) struct ExistingUserName(Box<str>);

impl From<UserName> for ExistingUserName {
    fn from(name: UserName) -> Self {
        ExistingUserName(name.as_str().into())
    }
}

impl Names<UserName> for &ExistingUserName {
    fn bytes(&self) -> Vec<u8> {
        NameKey::of(self.as_str()).bytes()
    }
}

impl Protected for ExistingUserName {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            match self.as_str().parse::<UserName>() {
                Ok(name) => name.resolve(caller, tx).await,
                Err(_) => Ok(operation::Resource::new(caller.arn_here("iam", format_args!("user/{self}")).as_str(), caller.account)
                    .shown_as(format!("user {self}"))),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_users_name_is_looked_up_as_the_user_is_kept() {
        let kept: UserName = "Alice".parse().unwrap();
        let asked: ExistingUserName = "aLICE".parse().unwrap();
        assert_eq!(Names::bytes(&&asked), KeyPart::bytes(&kept));
        assert!("x".repeat(128).parse::<ExistingUserName>().is_ok());
        assert!("x".repeat(129).parse::<ExistingUserName>().is_err());
    }
}
