//! What time and answers make of a handshake.

use super::*;

fn open(action: ActionType) -> HandshakeRecord {
    HandshakeRecord {
        id: "h-examplehandshake".parse().unwrap(),
        organization: "o-exampleorgid".parse().unwrap(),
        action,
        recipient: "444455556666".parse().unwrap(),
        named: Party { id: "444455556666".parse().unwrap(), r#type: PartyType::Account },
        state: State::Open,
        requested: 0,
        expires: action.lasts(),
        ended: None,
        notes: None,
        parent: None,
        transfer: None,
        tags: Vec::new(),
    }
}

#[test]
fn an_invitation_expires_after_fifteen_days_and_is_shown_thirty_more() {
    let invitation = open(ActionType::Invite);
    assert_eq!(invitation.state(15 * DAY - 1), State::Open);
    assert_eq!(invitation.state(15 * DAY), State::Expired);
    assert!(!invitation.is_pending(15 * DAY));
    assert!(invitation.is_shown(45 * DAY - 1));
    assert!(!invitation.is_shown(45 * DAY));
    assert_eq!(open(ActionType::ApproveAllFeatures).state(90 * DAY - 1), State::Open);
}

#[test]
fn what_came_to_an_end_comes_to_no_other() {
    let mut accepted = open(ActionType::Invite);
    end(&mut accepted, State::Accepted, 1).unwrap();
    assert!(matches!(end(&mut accepted, State::Accepted, 2), Err(Error::HandshakeAlreadyInState)));
    assert!(matches!(end(&mut accepted, State::Canceled, 2), Err(Error::InvalidTransition)));
    assert_eq!(accepted.ended, Some(1));
    let mut late = open(ActionType::Invite);
    assert!(matches!(end(&mut late, State::Accepted, 15 * DAY), Err(Error::InvalidTransition)));
}

#[test]
fn what_waits_for_others_can_only_be_canceled() {
    let waiting = || HandshakeRecord { state: State::Requested, ..open(ActionType::EnableAllFeatures) };
    assert!(matches!(end(&mut waiting(), State::Accepted, 1), Err(Error::InvalidTransition)));
    assert!(end(&mut waiting(), State::Canceled, 1).is_ok());
}
