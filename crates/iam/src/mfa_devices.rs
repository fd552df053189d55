//! MFA devices: made, enabled for a user or root, deactivated, deleted. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html>.
//! A virtual device belongs to the account until two consecutive codes make it somebody's; its seed is told once, when it is made. The model
//! asks a name of EnableMFADevice and ResyncMFADevice, and root has none: where no user is called `root`, root calls itself so.

use crate::names::ExistingUserName;
use crate::page::{NextPage, Page};
use crate::qr;
use crate::quotas::quota;
use crate::tagging::{self, same_exactly};
use crate::users::{GotUser, ListTagsOutput};
use crate::whose::{Whose, target};
use crate::{Error, Iam};
use arn::Arn;
use identities::{
    AccountRecord, CODE, CODE_REMEMBERED, MfaDeviceRecord, MfaKind, Owner, Path, Reach, Seed, SerialNumber, Tag, TagKey, UserName,
    UserRecord, VirtualMfa,
};
use operation::{
    Allowed, Caller, Judged, Operation, Operations, Preparing, Protected, Resolved, Resource, SlowOperation, Target, handler, slow_handler,
};
use store::{Mode, Read, Record, SHARED, Spent, Stored, Tx, Write};
use wire::{Blob, Entries, Name, Shape, Text, Timestamp};
use zeroize::Zeroizing;

pub(super) const OPERATIONS: Operations<Iam> = &[
    slow_handler::<CreateVirtualMFADevice>(),
    handler::<DeleteVirtualMFADevice>(),
    handler::<EnableMFADevice>(),
    handler::<DeactivateMFADevice>(),
    handler::<ResyncMFADevice>(),
    handler::<GetMFADevice>(),
    handler::<ListMFADevices>(),
    handler::<ListVirtualMFADevices>(),
    handler::<TagMFADevice>(),
    handler::<UntagMFADevice>(),
    handler::<ListMFADeviceTags>(),
];

/// Devices of one user, and of root. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const DEVICES_PER_USER: u64 = 8;
/// The longest serial number.
const SERIAL: usize = 256;

/// What a virtual device is called; the last part of its ARN.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, pattern = r"[\w+=,.@-]+")]
struct DeviceName(Box<str>);

/// What a device shows.
#[derive(Clone, Text)]
#[text(min = 6, max = 6, pattern = r"[\d]+", sensitive)]
struct AuthenticationCode(Box<str>);

/// The device with this serial number.
async fn found<M: Mode>(cx: &Allowed<'_, M>, serial: &SerialNumber) -> Result<MfaDeviceRecord, Error> {
    cx.tx.get::<MfaDeviceRecord>(serial).await?.ok_or_else(|| Error::NoSuchDevice(serial.to_string()))
}

/// The same, if it is this user's.
async fn found_of<M: Mode>(cx: &Allowed<'_, M>, serial: &SerialNumber, owner: &Owner) -> Result<MfaDeviceRecord, Error> {
    let device = found(cx, serial).await?;
    if device.owner.as_ref() == Some(owner) { Ok(device) } else { Err(Error::DeviceOfAnother) }
}

/// A user that has a device gets no other, and loses none, by its own word alone: whoever holds its access key could put a device of theirs in
/// its place. Source: <https://aws.amazon.com/security/security-bulletins/AWS-2023-001/>.
async fn shows_its_own(cx: &Allowed<'_, Write>, owner: &Owner) -> Result<(), Error> {
    let is_itself = owner.user.is_some() && cx.caller.owner().as_ref() == Some(owner);
    if !is_itself || cx.caller.showed_second_factor() || cx.tx.count(MfaDeviceRecord::BY_OWNER.of(owner), 1).await? == 0 {
        return Ok(());
    }
    Err(Error::NoSecondFactor)
}

async fn put(cx: &Allowed<'_, Write>, device: &MfaDeviceRecord) -> Result<(), Error> {
    match cx.tx.put(device).await? {
        Stored::Done => Ok(()),
        // No index of devices is unique.
        Stored::Taken => Err(Error::DeviceExists),
    }
}

/// Uses two consecutive codes up, and takes the clock that they tell.
async fn accept(
    cx: &Allowed<'_, Write>,
    device: &mut MfaDeviceRecord,
    codes: (&AuthenticationCode, &AuthenticationCode),
    reach: Reach,
) -> Result<(), Error> {
    let mut made = device.as_virtual().cloned().ok_or_else(|| Error::NoSuchDevice(device.serial.to_string()))?;
    let attempt = cx.tries().begin(&made.id, cx.caller.long_term_key(), cx.now).ok_or(Error::InvalidCode)?;
    let seed = device.seed(&made, cx.caller.account, &cx.access().keyring)?;
    let steps = made.synchronize(&seed, (codes.0.as_str(), codes.1.as_str()), cx.now, reach).ok_or(Error::InvalidCode)?;
    for step in steps {
        let (now, until) = (cx.now.saturating_mul(1_000), (cx.now + CODE_REMEMBERED).saturating_mul(1_000));
        match cx.tx.spend(CODE, &made.code(step), now, until).await? {
            Spent::Fresh => {}
            Spent::Already => return Err(Error::InvalidCode),
        }
    }
    attempt.succeeded();
    device.kind = MfaKind::Virtual(made);
    Ok(())
}

#[derive(Shape)]
struct CreateVirtualMFADevice {
    #[shape(default)]
    path: Path,
    #[shape(name = "VirtualMFADeviceName")]
    name: DeviceName,
    #[shape(max = 50)]
    tags: Vec<Tag>,
}

#[derive(Shape)]
struct CreateVirtualMFADeviceOutput {
    #[shape(name = "VirtualMFADevice")]
    device: VirtualMFADevice,
}

/// A virtual device as IAM shows it: with its seed when it is made, with its user when it is listed.
#[derive(Shape)]
struct VirtualMFADevice {
    serial_number: SerialNumber,
    base32_string_seed: Option<Blob>,
    #[shape(name = "QRCodePNG")]
    qr_code_png: Option<Blob>,
    user: Option<GotUser>,
    enable_date: Option<Timestamp>,
    tags: Option<Vec<Tag>>,
}

/// A seed, and the picture of it.
struct Made {
    serial: SerialNumber,
    seed: Seed,
    picture: Zeroizing<Vec<u8>>,
}

impl CreateVirtualMFADevice {
    fn arn(&self, caller: &Caller) -> Arn {
        caller.arn_here("iam", format_args!("mfa{}{}", self.path, self.name))
    }

    fn serial(&self, caller: &Caller) -> Result<SerialNumber, Error> {
        MfaDeviceRecord::virtual_serial(caller.account, self.path.as_str(), self.name.as_str()).ok_or_else(|| {
            let most = SERIAL.saturating_sub(self.arn(caller).as_str().len().saturating_sub(self.name.as_str().len()));
            Error::Validation(format!(
                "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have length less than or equal to {most}"
            ))
        })
    }
}

impl SlowOperation for CreateVirtualMFADevice {
    type Service = Iam;
    type Access = Write;
    type Output = CreateVirtualMFADeviceOutput;
    type Prepared = Made;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(self.arn(caller)).and(!self.tags.is_empty(), "iam:TagMFADevice").request_tags(&self.tags)
    }

    async fn prepare(&self, cx: &Preparing<'_>) -> Result<Made, Error> {
        let serial = self.serial(cx.caller)?;
        let account = cx.tx.in_account(SHARED).get::<AccountRecord>(&cx.caller.account).await?;
        let alias = account.and_then(|account| account.alias).map(|alias| alias.as_str().to_owned());
        let account = alias.unwrap_or_else(|| cx.caller.account.to_string());
        let seed = Seed::new(cx.access().entropy.as_ref())?;
        let url = Zeroizing::new(format!("otpauth://totp/{}@{account}?secret={}", self.name, *seed.base32()));
        let picture = cx.slow(move || qr::png(&url)).await??;
        Ok(Made { serial, seed, picture: Zeroizing::new(picture) })
    }

    async fn run(&self, made: &Made, cx: &mut Allowed<'_, Write>) -> Result<CreateVirtualMFADeviceOutput, Error> {
        quota::<MfaDeviceRecord>(cx, cx.limits().users, "VirtualMFADevicesPerAccount").await?;
        let (access, serial) = (cx.access(), &made.serial);
        let seed = made.seed.seal(cx.caller.account, serial, &access.keyring, access.entropy.as_ref())?;
        tagging::obey(cx, "iam:mfa", &self.tags).await?;
        let device = MfaDeviceRecord {
            serial: serial.clone(),
            kind: MfaKind::Virtual(VirtualMfa { id: format!("{:016x}", cx.chance()?), seed, drift: 0 }),
            owner: None,
            enabled: None,
            created: cx.now,
            tags: tagging::first(&self.tags, same_exactly)?,
        };
        match cx.tx.insert(&device).await? {
            Stored::Done => {}
            Stored::Taken => return Err(Error::DeviceExists),
        }
        let device = VirtualMFADevice {
            serial_number: device.serial,
            base32_string_seed: Some(Blob(made.seed.base32().as_bytes().to_vec())),
            qr_code_png: Some(Blob(made.picture.to_vec())),
            user: None,
            enable_date: None,
            tags: (!device.tags.is_empty()).then(|| device.tags.to_vec()),
        };
        Ok(CreateVirtualMFADeviceOutput { device })
    }
}

#[derive(Shape)]
struct DeleteVirtualMFADevice {
    serial_number: SerialNumber,
}

impl Operation for DeleteVirtualMFADevice {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    /// Where an organization made the caller root for one task, the task names root itself, and not its device.
    fn judged_by(&self, caller: &Caller) -> Judged {
        if caller.is_assumed_root() && self.serial_number.as_str().ends_with(":mfa/root-account-mfa-device") {
            return Judged::on(caller.arn.clone());
        }
        Judged::on(&self.serial_number)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let device = found(cx, &self.serial_number).await?;
        if device.as_virtual().is_none() {
            return Err(Error::NoSuchDevice(self.serial_number.to_string()));
        }
        if device.owner.is_some() {
            return Err(Error::Conflict("MFA VirtualDevice in use. Must deactivate first."));
        }
        cx.tx.delete::<MfaDeviceRecord>(&device.serial).await?;
        Ok(())
    }
}

/// Whom an operation means that must name somebody: a user, or root, if it asks itself.
#[derive(Clone)]
struct UserOrRoot(ExistingUserName);

/// What root calls itself.
const ROOT: &str = "root";

impl UserOrRoot {
    async fn find<M: Mode>(&self, tx: &Tx<M>, caller: &Caller) -> Result<Whose, Error> {
        match Whose::find(tx, caller, Some(&self.0)).await {
            Err(Error::NotFound { .. }) if caller.is_root() && self.0.as_str() == ROOT => Ok(Whose::Root),
            found => found,
        }
    }
}

impl Protected for UserOrRoot {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let is_user = tx.find(UserRecord::BY_NAME, &self.0).await?.is_some();
            if caller.is_root() && !is_user && self.0.as_str() == ROOT {
                return Ok(Resource::new(caller.arn_here("iam", ROOT).as_str(), caller.account));
            }
            self.0.resolve(caller, tx).await
        })
    }
}

#[derive(Shape)]
struct EnableMFADevice {
    user_name: ExistingUserName,
    serial_number: SerialNumber,
    authentication_code1: AuthenticationCode,
    authentication_code2: AuthenticationCode,
}

impl Operation for EnableMFADevice {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&UserOrRoot(self.user_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let owner = UserOrRoot(self.user_name.clone()).find(&cx.tx, cx.caller).await?.owner(cx.caller);
        shows_its_own(cx, &owner).await?;
        let mut device = found(cx, &self.serial_number).await?;
        match &device.owner {
            None => {}
            Some(other) if *other == owner => return Err(Error::DeviceEnabled(self.user_name.to_string())),
            Some(_) => return Err(Error::DeviceInUse),
        }
        let most = usize::try_from(DEVICES_PER_USER).unwrap_or(usize::MAX);
        if cx.tx.count(MfaDeviceRecord::BY_OWNER.of(&owner), most).await? >= most {
            return Err(Error::Quota { name: "MFADevicesPerUser", limit: DEVICES_PER_USER });
        }
        accept(cx, &mut device, (&self.authentication_code1, &self.authentication_code2), Reach::Minutes).await?;
        device.owner = Some(owner);
        device.enabled = Some(cx.now);
        put(cx, &device).await
    }
}

#[derive(Shape)]
struct DeactivateMFADevice {
    user_name: Option<ExistingUserName>,
    serial_number: SerialNumber,
}

impl Operation for DeactivateMFADevice {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let owner = Whose::of(cx, self.user_name.as_ref()).await?.owner(cx.caller);
        shows_its_own(cx, &owner).await?;
        let device = found_of(cx, &self.serial_number, &owner).await?;
        match device.kind {
            MfaKind::Virtual(_) => put(cx, &MfaDeviceRecord { owner: None, enabled: None, ..device }).await,
            // Nobody's security key is nothing: it is registered anew.
            MfaKind::SecurityKey { .. } => cx.tx.delete::<MfaDeviceRecord>(&device.serial).await.map(drop).map_err(Into::into),
        }
    }
}

#[derive(Shape)]
struct ResyncMFADevice {
    user_name: ExistingUserName,
    serial_number: SerialNumber,
    authentication_code1: AuthenticationCode,
    authentication_code2: AuthenticationCode,
}

impl Operation for ResyncMFADevice {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&UserOrRoot(self.user_name.clone()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let owner = UserOrRoot(self.user_name.clone()).find(&cx.tx, cx.caller).await?.owner(cx.caller);
        let mut device = found_of(cx, &self.serial_number, &owner).await?;
        accept(cx, &mut device, (&self.authentication_code1, &self.authentication_code2), Reach::Hours).await?;
        put(cx, &device).await
    }
}

#[derive(Shape)]
struct GetMFADevice {
    serial_number: SerialNumber,
    user_name: Option<UserName>,
}

#[derive(Shape)]
struct GetMFADeviceOutput {
    user_name: Option<UserName>,
    serial_number: SerialNumber,
    enable_date: Option<Timestamp>,
    certifications: Option<Entries<String>>,
}

impl Operation for GetMFADevice {
    type Service = Iam;
    type Access = Read;
    type Output = GetMFADeviceOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetMFADeviceOutput, Error> {
        let whose = Whose::of(cx, self.user_name.as_ref()).await?;
        let device = found_of(cx, &self.serial_number, &whose.owner(cx.caller)).await?;
        let certifications = match device.kind {
            MfaKind::Virtual(_) => None,
            MfaKind::SecurityKey { certifications } => {
                let named = certifications.into_iter().map(|(name, level)| (Name::Owned(name), level)).collect();
                Some(Entries(named))
            }
        };
        Ok(GetMFADeviceOutput {
            user_name: whose.user_name(),
            serial_number: device.serial,
            enable_date: device.enabled.map(Timestamp),
            certifications,
        })
    }
}

#[derive(Shape)]
struct ListMFADevices {
    user_name: Option<ExistingUserName>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListMFADevicesOutput {
    #[shape(name = "MFADevices")]
    devices: Vec<MFADevice>,
    #[shape(flatten)]
    next: NextPage,
}

/// A device of somebody's. Root has no name.
#[derive(Shape)]
struct MFADevice {
    user_name: Option<UserName>,
    serial_number: SerialNumber,
    enable_date: Option<Timestamp>,
}

impl Operation for ListMFADevices {
    type Service = Iam;
    type Access = Read;
    type Output = ListMFADevicesOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(target(caller, self.user_name.as_ref()))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListMFADevicesOutput, Error> {
        let whose = Whose::of(cx, self.user_name.as_ref()).await?;
        let owned = MfaDeviceRecord::BY_OWNER.of(&whose.owner(cx.caller));
        let page = cx.tx.scan(owned, self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let shown = |device: MfaDeviceRecord| MFADevice {
            user_name: whose.user_name(),
            serial_number: device.serial,
            enable_date: device.enabled.map(Timestamp),
        };
        Ok(ListMFADevicesOutput { devices: page.records.into_iter().map(shown).collect(), next: page.next.into() })
    }
}

/// Which virtual devices a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Text)]
#[text(as_is)]
enum AssignmentStatus {
    Assigned,
    Unassigned,
    #[default]
    Any,
}

#[derive(Shape)]
struct ListVirtualMFADevices {
    #[shape(default)]
    assignment_status: AssignmentStatus,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListVirtualMFADevicesOutput {
    #[shape(name = "VirtualMFADevices")]
    devices: Vec<VirtualMFADevice>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListVirtualMFADevices {
    type Service = Iam;
    type Access = Read;
    type Output = ListVirtualMFADevicesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListVirtualMFADevicesOutput, Error> {
        let wanted = |device: &MfaDeviceRecord| {
            let fits = match self.assignment_status {
                AssignmentStatus::Any => true,
                AssignmentStatus::Assigned => device.owner.is_some(),
                AssignmentStatus::Unassigned => device.owner.is_none(),
            };
            fits && device.as_virtual().is_some()
        };
        let page = cx.tx.scan(MfaDeviceRecord::KEY.all(), self.page.after()?.as_ref(), self.page.limit(), wanted).await?;
        let mut devices = Vec::with_capacity(page.records.len());
        for device in page.records {
            let user = match &device.owner {
                Some(owner) => GotUser::of_owner(cx, owner).await?,
                None => None,
            };
            devices.push(VirtualMFADevice {
                serial_number: device.serial,
                base32_string_seed: None,
                qr_code_png: None,
                user,
                enable_date: device.enabled.map(Timestamp),
                tags: None,
            });
        }
        Ok(ListVirtualMFADevicesOutput { devices, next: page.next.into() })
    }
}

#[derive(Shape)]
struct TagMFADevice {
    serial_number: SerialNumber,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagMFADevice {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.serial_number).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut device = found(cx, &self.serial_number).await?;
        tagging::obey(cx, "iam:mfa", &self.tags).await?;
        tagging::add(&mut device.tags, &self.tags, same_exactly)?;
        put(cx, &device).await
    }
}

#[derive(Shape)]
struct UntagMFADevice {
    serial_number: SerialNumber,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagMFADevice {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.serial_number).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let mut device = found(cx, &self.serial_number).await?;
        tagging::remove(&mut device.tags, &self.tag_keys, same_exactly);
        put(cx, &device).await
    }
}

#[derive(Shape)]
struct ListMFADeviceTags {
    serial_number: SerialNumber,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListMFADeviceTags {
    type Service = Iam;
    type Access = Read;
    type Output = ListTagsOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.serial_number)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsOutput, Error> {
        ListTagsOutput::of(&found(cx, &self.serial_number).await?.tags, &self.page)
    }
}
