use crate::{JSON, QUERY, REST, from_json, from_query, shown};
use wire::{
    Answer, ArnText, Blob, Entries, Failure, Field, Form, Int, Kind, Member, Name, Node, Reader, Shape, Shown, Struct, Text, TextRules,
    Timestamp, bad_patterns, input,
};

#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 64, pattern = r"[\w+=,.@-]+")]
struct UserName(Box<str>);

#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 512, pattern = r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)")]
struct Path(Box<str>);
impl Default for Path {
    fn default() -> Self {
        Path("/".into())
    }
}

#[derive(Clone, Text)]
#[text(min = 1, max = 128, pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+", sensitive)]
struct Password(Box<str>);

#[derive(Debug, PartialEq, Eq, Clone, Copy, Text)]
#[text(as_is, quiet)]
enum Status {
    Active,
    Inactive,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy, Text)]
#[expect(clippy::enum_variant_names, reason = "AWS's names")]
enum PolicyType {
    ServiceControlPolicy,
    TagPolicy,
    #[text(rename = "AISERVICES_OPT_OUT_POLICY")]
    AiServicesOptOutPolicy,
}

#[derive(Debug, PartialEq, Clone, Shape)]
struct Tag {
    key: UserName,
    value: String,
}

#[derive(Debug, PartialEq, Shape)]
struct Page {
    marker: Option<String>,
    #[shape(default)]
    max_items: Int<1, 1000, 100>,
}

#[derive(Debug, PartialEq, Shape)]
struct CreateUser {
    user_name: UserName,
    #[shape(default)]
    path: Path,
    permissions_boundary: Option<ArnText>,
    #[shape(max = 2)]
    tags: Vec<Tag>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListUsersOutput {
    users: Vec<Tag>,
    is_truncated: bool,
    marker: Option<String>,
}

#[derive(Debug, PartialEq, Shape)]
struct Everything {
    boolean: Option<bool>,
    number: Option<i32>,
    #[shape(name = "SAMLProviderArn")]
    saml: Option<String>,
    time: Option<Timestamp>,
    blob: Option<Blob>,
    decimal: Option<f64>,
    status: Option<Status>,
    kind: Option<PolicyType>,
    map: Entries<i64>,
    r#type: Option<Box<str>>,
    list: Vec<i64>,
}

#[derive(Debug, PartialEq, Shape)]
struct TagUser {
    #[shape(required, min = 1, max = 50)]
    tags: Vec<Tag>,
}

#[derive(Debug, PartialEq, Shape)]
struct ChangePassword {
    new_password: Wrapped,
}
#[derive(Debug, Shape)]
struct Wrapped {
    password: Password,
}
impl PartialEq for Wrapped {
    fn eq(&self, other: &Self) -> bool {
        self.password.as_str() == other.password.as_str()
    }
}

#[derive(Debug, PartialEq, Shape)]
struct GetCallerIdentity;

#[derive(Debug, PartialEq, Shape)]
#[shape(camel, http = "PUT /analyzer/{analyzerName}")]
struct UpdateAnalyzer {
    analyzer_name: String,
    max_results: Option<Int<1, 100>>,
    tag_keys: Vec<String>,
}

fn refused<T: std::fmt::Debug>(read: Result<T, Failure>) -> String {
    let failure = read.unwrap_err();
    format!("{} {} {}", failure.status, failure.code, failure.message)
}

#[test]
fn a_struct_is_read_and_written() {
    let read: CreateUser = from_query("UserName=alice&Tags.member.1.Key=k&Tags.member.1.Value=v&MaxItems=7").unwrap();
    assert_eq!((read.user_name.as_str(), read.path.as_str(), read.page.max_items), ("alice", "/", Int(7)));
    assert_eq!(shown(&read.write()), r#"{"UserName":"alice","Path":"/","Tags":[{"Key":"k","Value":"v"}],"MaxItems":7}"#);
}

#[test]
fn all_violations_come_in_one_reply() {
    let read = from_query::<CreateUser>("UserName=a/b&Path=x&Tags.member.1.Key=k&Tags.member.2.Key=&Tags.member.2.Value=&MaxItems=1001");
    assert_eq!(
        refused(read),
        "400 ValidationError 6 validation errors detected: \
         Value 'x' at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F); \
         Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000; \
         Value 'a/b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+; \
         Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null; \
         Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; \
         Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+"
    );
}

#[test]
fn both_bounds_of_a_number_are_inside() {
    let ask = |number: i64| from_query::<Page>(&format!("MaxItems={number}"));
    assert!(ask(1).is_ok() && ask(1000).is_ok());
    assert!(
        refused(ask(0))
            .ends_with("Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1")
    );
    assert!(refused(ask(1001)).ends_with("Member must have value less than or equal to 1000"));
    assert_eq!(from_query::<Page>("").map(|page| page.max_items), Ok(Int(100)));
}

#[test]
fn a_required_member_that_is_absent_is_null() {
    assert_eq!(
        refused(from_query::<CreateUser>("")),
        "400 ValidationError 1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null"
    );
    assert!(
        refused(from_json::<CreateUser>(r#"{"UserName":null}"#))
            .starts_with("400 ValidationException 1 validation error detected: Value null at")
    );
    assert_eq!(input::<GetCallerIdentity>(&Node::Absent, &QUERY), Ok(GetCallerIdentity));
}

#[test]
fn a_list_may_be_left_out_unless_it_is_required() {
    assert_eq!(from_query::<CreateUser>("UserName=a").unwrap().tags, vec![]);
    assert_eq!(from_query::<CreateUser>("UserName=a&Tags=").unwrap().tags, vec![]);
    assert!(refused(from_query::<TagUser>("")).ends_with("Value null at 'tags' failed to satisfy constraint: Member must not be null"));
    assert!(
        refused(from_query::<TagUser>("Tags="))
            .ends_with("Value '[]' at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1")
    );
}

#[test]
fn a_list_that_is_too_long_is_told_once_and_its_elements_are_still_read() {
    let three: Vec<String> = (1..=3).map(|n| format!("Tags.member.{n}.Key=k&Tags.member.{n}.Value=v")).collect();
    assert_eq!(
        refused(from_query::<CreateUser>(&format!("UserName=a&{}", three.join("&")))),
        "400 ValidationError 1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 2"
    );
}

#[test]
fn bounds_beside_a_text_repeat_it_unless_it_is_secret() {
    #[derive(Debug, Shape)]
    struct Bounded {
        #[shape(max = 3)]
        description: Option<String>,
        #[shape(max = 3)]
        password: Option<Password>,
    }
    assert!(from_query::<Bounded>("Description=ééé&Password=abc").is_ok_and(|read| read.description.is_some() && read.password.is_some()));
    assert_eq!(
        refused(from_query::<Bounded>("Description=abcd&Password=abcd")),
        "400 ValidationError 2 validation errors detected: \
         Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 3; \
         Value 'abcd' at 'description' failed to satisfy constraint: Member must have length less than or equal to 3"
    );
}

#[test]
fn a_null_in_a_list_is_a_violation_and_not_a_hole() {
    assert!(
        refused(from_json::<Everything>(r#"{"List":[1,null]}"#))
            .ends_with("Value null at 'list.2.member' failed to satisfy constraint: Member must not be null")
    );
}

#[derive(Debug, PartialEq, Shape)]
struct Choose {
    thumbprint_list: Vec<Thumbprint>,
    #[shape(name = "ClientIDList")]
    client_ids: Vec<ClientId>,
    kinds: Vec<PolicyType>,
    url: Option<ClientId>,
    kind: Option<PolicyType>,
    name: UserName,
}
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 4, max = 4)]
struct Thumbprint(Box<str>);
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 5, pattern = r"[\w]+")]
struct ClientId(Box<str>);

const WRONG: &str = "ClientIDList.member.1=ok&ClientIDList.member.2=a-b-c-d&ThumbprintList.member.1=x&ThumbprintList.member.2=yyyyy\
                     &Kinds.member.1=X&Url=xxxxxx&Kind=X";

#[test]
fn violations_come_in_the_order_of_a_hash_table_of_javas_and_a_list_of_texts_tells_what_each_must_be() {
    assert_eq!(
        refused(from_query::<Choose>(WRONG)),
        "400 ValidationError 6 validation errors detected: \
         Value '[ok, a-b-c-d]' at 'clientIDList' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must have length less than or equal to 5, Member must have length greater than or equal to 1, \
         Member must satisfy regular expression pattern: [\\w]+]; \
         Value 'X' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: \
         [SERVICE_CONTROL_POLICY, TAG_POLICY, AISERVICES_OPT_OUT_POLICY]; \
         Value null at 'name' failed to satisfy constraint: Member must not be null; \
         Value '[X]' at 'kinds' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must satisfy enum value set: [SERVICE_CONTROL_POLICY, TAG_POLICY, AISERVICES_OPT_OUT_POLICY]]; \
         Value '[x, yyyyy]' at 'thumbprintList' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must have length less than or equal to 4, Member must have length greater than or equal to 4]; \
         Value 'xxxxxx' at 'url' failed to satisfy constraint: Member must have length less than or equal to 5"
    );
}

#[test]
fn a_service_that_repeats_nothing_tells_no_values() {
    let call = wire::query::read("", format!("Action=A&Version=2010-05-08&{WRONG}").as_bytes(), &wire::query::Limits::default()).unwrap();
    let protocol = wire::Protocol::Query { version: "2010-05-08", namespace: "x", repeats: false };
    assert_eq!(
        refused(input::<Choose>(&call.input, &protocol)),
        "400 ValidationError 6 validation errors detected: \
         Value at 'clientIDList' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must have length less than or equal to 5, Member must have length greater than or equal to 1, \
         Member must satisfy regular expression pattern: [\\w]+]; \
         Value at 'kind' failed to satisfy constraint: Member must satisfy enum value set: \
         [SERVICE_CONTROL_POLICY, TAG_POLICY, AISERVICES_OPT_OUT_POLICY]; \
         Value at 'name' failed to satisfy constraint: Member must not be null; \
         Value at 'kinds' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must satisfy enum value set: [SERVICE_CONTROL_POLICY, TAG_POLICY, AISERVICES_OPT_OUT_POLICY]]; \
         Value at 'thumbprintList' failed to satisfy constraint: Member must satisfy constraint: \
         [Member must have length less than or equal to 4, Member must have length greater than or equal to 4]; \
         Value at 'url' failed to satisfy constraint: Member must have length less than or equal to 5"
    );
}

#[test]
fn secrets_stay_out_of_messages_and_debug() {
    let message = refused(from_query::<Wrapped>(&format!("Password=hunter2{}", "x".repeat(200))));
    assert!(
        message.contains("Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 128"),
        "{message}"
    );
    assert!(!message.contains("hunter2"));
    let read: Wrapped = from_query("Password=hunter2").unwrap();
    assert_eq!(format!("{read:?}"), "Wrapped { password: Password(…) }");
    assert_eq!(read.password.as_str(), "hunter2");
    let node = Wrapped { password: read.password.clone() }.write();
    assert_eq!((format!("{node:?}"), shown(&node)), (r#"{"Password": Text}"#.to_owned(), r#"{"Password":"hunter2"}"#.to_owned()));
}

#[test]
fn a_wiped_node_holds_no_text() {
    let mut node = Node::Map(vec![("A".into(), Node::List(vec![Node::text("secret"), Node::Blob(vec![7])]))]);
    node.wipe();
    assert_eq!(shown(&node), r#"{"A":["",""]}"#);
}

#[test]
fn choices_are_written_as_aws_writes_them() {
    assert_eq!((Status::Active.as_str(), PolicyType::ServiceControlPolicy.as_str()), ("Active", "SERVICE_CONTROL_POLICY"));
    assert_eq!(PolicyType::ALL, [PolicyType::ServiceControlPolicy, PolicyType::TagPolicy, PolicyType::AiServicesOptOutPolicy]);
    assert_eq!("AISERVICES_OPT_OUT_POLICY".parse(), Ok(PolicyType::AiServicesOptOutPolicy));
    assert_eq!(
        refused(from_query::<Everything>("Kind=X&Status=active")),
        "400 ValidationError 2 validation errors detected: Value 'X' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: \
         [SERVICE_CONTROL_POLICY, TAG_POLICY, AISERVICES_OPT_OUT_POLICY]; \
         Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"
    );
}

#[test]
fn query_values_are_spelled_as_text() {
    let text = "Boolean=true&Number=-7&Time=2010-05-08T23:39:01Z&Blob=AAEC&Decimal=1.5&Status=Active&Type=t&List.member.1=3&\
                Map.entry.1.key=k&Map.entry.1.value=9&SAMLProviderArn=p";
    let read: Everything = from_query(text).unwrap();
    let expected = Everything {
        boolean: Some(true),
        number: Some(-7),
        saml: Some("p".to_owned()),
        time: Some(Timestamp(1_273_361_941)),
        blob: Some(Blob(vec![0, 1, 2])),
        decimal: Some(1.5),
        status: Some(Status::Active),
        kind: None,
        map: Entries(vec![("k".into(), 9)]),
        r#type: Some("t".into()),
        list: vec![3],
    };
    assert_eq!(read, expected);
    for (time, seconds) in
        [("1273361941", 1_273_361_941), ("2010-05-08T23:39:01.750Z", 1_273_361_941), ("2010-05-09T01:39:01%2B02:00", 1_273_361_941)]
    {
        assert_eq!(from_query::<Everything>(&format!("Time={time}")).unwrap().time, Some(Timestamp(seconds)), "{time}");
    }
}

#[test]
fn json_values_keep_their_types() {
    let text = r#"{"Boolean":false,"Number":7,"Time":1273361941.75,"Blob":"AAEC","Decimal":2,"Map":{"k":9},"List":[3],"Unknown":{"a":[]}}"#;
    let read: Everything = from_json(text).unwrap();
    assert_eq!((read.boolean, read.number, read.time, read.decimal), (Some(false), Some(7), Some(Timestamp(1_273_361_941)), Some(2.0)));
    assert_eq!((read.map, read.list), (Entries(vec![("k".into(), 9)]), vec![3]));
}

#[test]
fn a_value_of_another_type_is_malformed_and_not_repeated() {
    for (body, message) in [
        (r#"{"Number":"7"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"Number":1.5}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"Number":2147483648}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"Boolean":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
        (r#"{"SAMLProviderArn":true}"#, "TRUE_VALUE can not be converted to a String"),
        (r#"{"List":{}}"#, "START_OBJECT can not be converted to a List"),
        (r#"{"List":""}"#, "STRING_VALUE can not be converted to a List"),
        (r#"{"Map":[]}"#, "START_ARRAY can not be converted to a Map"),
        (r#"{"Time":"noon"}"#, "STRING_VALUE can not be converted to a Timestamp"),
        (r#"{"Blob":"***"}"#, "STRING_VALUE can not be converted to a Blob"),
        (r#"{"Decimal":"x"}"#, "STRING_VALUE can not be converted to a Double"),
    ] {
        assert_eq!(refused(from_json::<Everything>(body)), format!("400 SerializationException {message}"), "{body}");
    }
    for body in [
        "Number=7x",
        "Number=",
        "Number=99999999999999999999",
        "Boolean=True",
        "Boolean=1",
        "List=x",
        "List.1=x",
        "Time=noon",
        "Decimal=NaN",
        "Decimal=inf",
    ] {
        assert!(refused(from_query::<Everything>(body)).starts_with("400 MalformedInput Value at '"), "{body}");
    }
    assert_eq!(
        refused(from_query::<ChangePassword>("NewPassword=hunter2")),
        "400 MalformedInput Value at 'newPassword' can not be converted to a Structure"
    );
    assert_eq!(
        refused(from_query::<CreateUser>("UserName.member.1=x")),
        "400 MalformedInput Value at 'userName' can not be converted to a String"
    );
}

#[test]
fn a_rest_request_may_spell_numbers_as_text() {
    let node =
        wire::rest::read(vec![("analyzerName", "a".to_owned())], "maxResults=5&tagKeys=x", b"", &wire::query::Limits::default()).unwrap();
    let read: UpdateAnalyzer = input(&node, &REST).unwrap();
    assert_eq!(read, UpdateAnalyzer { analyzer_name: "a".to_owned(), max_results: Some(Int(5)), tag_keys: vec!["x".to_owned()] });
    assert_eq!(shown(&read.write()), r#"{"analyzerName":"a","maxResults":5,"tagKeys":["x"]}"#);
    assert_eq!(UpdateAnalyzer::HTTP, Some("PUT /analyzer/{analyzerName}"));
}

#[test]
fn lengths_count_characters() {
    let name: String = "é".repeat(64);
    let tag = |value: &str| Node::Map(vec![("Password".into(), Node::text(value))]);
    assert!(input::<Wrapped>(&tag(&"é".repeat(128)), &QUERY).is_ok());
    assert!(input::<Wrapped>(&tag(&"é".repeat(129)), &QUERY).is_err());
    assert!(name.parse::<UserName>().is_err_and(|broken| broken == [r"Member must satisfy regular expression pattern: [\w+=,.@-]+"]));
    let clef = "𝄞".repeat(20);
    assert_eq!(clef.parse::<ArnText>().map(|arn| arn.arn().is_some()), Ok(false));
    assert!("𝄞".repeat(19).parse::<ArnText>().is_err());
}

#[test]
fn long_values_and_endless_lists_do_not_make_endless_messages() {
    let failure = from_query::<CreateUser>(&format!("UserName={}", "/".repeat(100_000))).unwrap_err();
    assert!(failure.message.len() < 10_000 && failure.message.contains("/…' at 'userName'"));
    let many: Vec<String> = (1..=5_000).map(|n| format!("Tags.member.{n}.Key=/")).collect();
    let failure = from_query::<TagUser>(&many.join("&")).unwrap_err();
    assert!(
        failure.message.starts_with("10001 validation errors detected: ") && failure.message.len() < 100_000,
        "{}",
        failure.message.len()
    );
}

#[test]
fn the_members_describe_themselves() {
    let fields = Member::flat(CreateUser::MEMBERS);
    let told: Vec<(&str, bool)> = fields.iter().map(|field| (field.name, field.required)).collect();
    assert_eq!(
        told,
        [("UserName", true), ("Path", false), ("PermissionsBoundary", false), ("Tags", false), ("Marker", false), ("MaxItems", false)]
    );
    assert_eq!(CreateUser::NAME, "CreateUser");
    assert_eq!((fields[3].length, fields[3].kind), ((0, 2), Kind::List(&Kind::Struct("Tag", Tag::MEMBERS))));
    assert_eq!(fields[5].kind, Kind::Number { min: 1, max: 1000 });
    let Kind::Text(TextRules { min: 1, max: 64, pattern: r"[\w+=,.@-]+", .. }) = fields[0].kind else { panic!("{:?}", fields[0]) };
    assert_eq!(TagUser::MEMBERS, [Member::Named(Field { name: "Tags", required: true, length: (1, 50), kind: Vec::<Tag>::KIND })]);
    assert_eq!(Everything::MEMBERS.len(), 11);
    assert!(Member::flat(Everything::MEMBERS).iter().any(|field| field.kind == Kind::Choice(&["Active", "Inactive"])));
    assert_eq!(bad_patterns(CreateUser::MEMBERS), [""; 0]);
    assert_eq!((<()>::KIND, GetCallerIdentity::KIND), (Kind::Nothing, Kind::Struct("GetCallerIdentity", &[])));
}

#[test]
fn a_pattern_that_cannot_be_decided_is_found_by_walking() {
    const BAD: &TextRules = &TextRules { min: 0, max: 1, pattern: "(", matcher: wire::Matcher::Regex("("), quiet: false, says: "" };
    const MEMBERS: &[Member] = &[Member::Named(Field { name: "A", required: true, length: (0, 1), kind: Kind::List(&Kind::Text(BAD)) })];
    assert_eq!(bad_patterns(MEMBERS), ["("]);
    assert!(BAD.check("", &wire::Compiled::new()).is_err());
}

#[test]
fn texts_go_into_records_and_come_back() {
    // Looser rules once let this in: a record stays readable.
    let name: UserName = serde_json::from_str(r#""a b""#).unwrap();
    assert_eq!(serde_json::to_string(&name).unwrap(), r#""a b""#);
    assert_eq!(serde_json::from_str::<Status>(r#""Active""#).unwrap(), Status::Active);
    assert!(serde_json::from_str::<Status>(r#""Gone""#).is_err());
    assert_eq!(serde_json::to_string(&Timestamp(5)).unwrap(), "5");
}

#[test]
fn ids_and_arns_are_members() {
    #[derive(Debug, Shape)]
    struct Ids {
        arn: Option<arn::Arn>,
        id: Option<arn::UniqueId>,
        key: Option<arn::AccessKeyId>,
        account: Option<arn::AccountId>,
    }
    let text = "Arn=arn:aws:iam::123456789012:user/a&Id=AIDACKCEVSQ6C2EXAMPLE&Key=AKIAIOSFODNN7EXAMPLE&Account=123456789012";
    let read: Ids = from_query(text).unwrap();
    assert_eq!(
        shown(&read.write()),
        r#"{"Arn":"arn:aws:iam::123456789012:user/a","Id":"AIDACKCEVSQ6C2EXAMPLE","Key":"AKIAIOSFODNN7EXAMPLE","Account":"123456789012"}"#
    );
    assert!(
        refused(from_query::<Ids>("Key=AKIA"))
            .ends_with("Value 'AKIA' at 'key' failed to satisfy constraint: Member must have length greater than or equal to 16")
    );
    assert!(refused(from_query::<Ids>("Account=12345678901x")).ends_with(r"Member must satisfy regular expression pattern: \d{12}"));
    assert!(
        refused(from_query::<Ids>("Arn=nothing-valid-in-here"))
            .starts_with("400 ValidationError 1 validation error detected: Value 'nothing-valid-in-here'")
    );
}

#[test]
fn an_output_keeps_empty_lists_and_drops_what_is_absent() {
    let output = ListUsersOutput { users: vec![], is_truncated: false, marker: None }.write();
    let reply = Answer { protocol: &QUERY, form: Form::Xml, request_id: "r" }.reply("ListUsers", &output);
    let body = String::from_utf8(reply.body).unwrap();
    assert!(body.contains("<ListUsersResult><Users/><IsTruncated>false</IsTruncated></ListUsersResult>"), "{body}");
}

#[test]
fn shapes_can_be_written_by_hand() {
    struct Even(i64);
    impl Shape for Even {
        const KIND: Kind = Kind::Number { min: 0, max: i64::MAX };
        fn read(node: &Node, at: &mut Reader) -> Option<Self> {
            let number = at.number(node)?;
            if number % 2 == 1 {
                at.violates(Shown::Value("odd"), "Member must be even");
                return None;
            }
            Some(Even(number))
        }
        fn write(self) -> Node {
            Node::Number(self.0)
        }
    }
    let mut reader = Reader::new(&JSON);
    let parent = Node::Map(vec![(Name::from("Even"), Node::Number(3))]);
    assert!(reader.member::<Even>(&parent, "Even").is_none() && reader.has_complaints());
    assert_eq!(
        reader.verdict(&JSON).unwrap().message,
        "1 validation error detected: Value 'odd' at 'even' failed to satisfy constraint: Member must be even"
    );
    assert_eq!(Even(2).write(), Node::Number(2));
}
