// The whole registry: one line says a message's number, who answers, whether it may be repeated, how long it may wait, who may ask.

// MARK: policy

extension AuthenticateClient: ServiceRequest {
    package typealias Reply = AuthenticateClientReply
    package static let method = Method(100, "AuthenticateClient", answeredBy: .policy, .reads, callers: [.gateway])
}

extension AuthenticateToken: ServiceRequest {
    package typealias Reply = AuthenticateTokenReply
    package static let method = Method(101, "AuthenticateToken", answeredBy: .policy, .reads, callers: [.gateway])
}

extension IssueToken: ServiceRequest {
    package typealias Reply = IssueTokenReply
    package static let method = Method(102, "IssueToken", answeredBy: .policy, .keyed, callers: [.gateway])
}

extension WatchPolicy: ServiceRequest {
    package typealias Reply = WatchPolicyReply
    package static let method = Method(
        103, "WatchPolicy", answeredBy: .policy, .reads, .parked,
        callers: [.gateway, .registration, .challenge, .verifier, .notifier])
}

extension ReadPolicyDocument: ServiceRequest {
    package typealias Reply = DocumentReply
    package static let method = Method(104, "ReadPolicyDocument", answeredBy: .policy, .reads, callers: [.gateway])
}

extension ChangePolicyDocument: ServiceRequest {
    package typealias Reply = DocumentReply
    package static let method = Method(105, "ChangePolicyDocument", answeredBy: .policy, .keyed, callers: [.gateway])
}

extension ReadSettings: ServiceRequest {
    package typealias Reply = DocumentReply
    package static let method = Method(106, "ReadSettings", answeredBy: .policy, .reads, callers: [.gateway])
}

extension ChangeSettings: ServiceRequest {
    package typealias Reply = DocumentReply
    package static let method = Method(107, "ChangeSettings", answeredBy: .policy, .keyed, callers: [.gateway])
}

extension CreateTenant: ServiceRequest {
    package typealias Reply = CreateTenantReply
    package static let method = Method(108, "CreateTenant", answeredBy: .policy, .keyed, callers: [.gateway])
}

extension ListTenants: ServiceRequest {
    package typealias Reply = ListTenantsReply
    package static let method = Method(109, "ListTenants", answeredBy: .policy, .reads, callers: [.gateway])
}

extension CreateClient: ServiceRequest {
    package typealias Reply = CreateClientReply
    package static let method = Method(110, "CreateClient", answeredBy: .policy, .keyed, callers: [.gateway])
}

extension ListClients: ServiceRequest {
    package typealias Reply = ListClientsReply
    package static let method = Method(111, "ListClients", answeredBy: .policy, .reads, callers: [.gateway])
}

extension DeleteClient: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(112, "DeleteClient", answeredBy: .policy, .keyed, callers: [.gateway])
}

extension ListPolicyAudit: ServiceRequest {
    package typealias Reply = ListAuditReply
    package static let method = Method(113, "ListPolicyAudit", answeredBy: .policy, .reads, callers: [.gateway])
}

extension PreviewPolicy: ServiceRequest {
    package typealias Reply = PreviewPolicyReply
    package static let method = Method(114, "PreviewPolicy", answeredBy: .policy, .reads, callers: [.gateway])
}

extension RenewAdminToken: ServiceRequest {
    package typealias Reply = RenewAdminTokenReply
    package static let method = Method(115, "RenewAdminToken", answeredBy: .policy, .keyed, callers: [.gateway])
}

extension ReadClient: ServiceRequest {
    package typealias Reply = ReadClientReply
    package static let method = Method(116, "ReadClient", answeredBy: .policy, .reads, callers: [.gateway])
}

// MARK: registration

extension ResolvePerson: ServiceRequest {
    package typealias Reply = ResolvePersonReply
    package static let method = Method(
        200, "ResolvePerson", answeredBy: .registration, .reads, callers: [.challenge, .gateway])
}

extension ReadPerson: ServiceRequest {
    package typealias Reply = ResolvePersonReply
    package static let method = Method(
        201, "ReadPerson", answeredBy: .registration, .reads, callers: [.challenge, .gateway, .verifier])
}

extension ReadDevice: ServiceRequest {
    package typealias Reply = ReadDeviceReply
    package static let method = Method(
        202, "ReadDevice", answeredBy: .registration, .reads, callers: [.verifier, .gateway])
}

extension WatchDevices: ServiceRequest {
    package typealias Reply = WatchDevicesReply
    package static let method = Method(
        203, "WatchDevices", answeredBy: .registration, .reads, .parked, callers: [.verifier, .gateway])
}

extension ReadOfflineSecrets: ServiceRequest {
    package typealias Reply = ReadOfflineSecretsReply
    package static let method = Method(
        204, "ReadOfflineSecrets", answeredBy: .registration, .reads, callers: [.verifier])
}

extension VerifyPassword: ServiceRequest {
    package typealias Reply = VerifyPasswordReply
    package static let method = Method(205, "VerifyPassword", answeredBy: .registration, .keyed, callers: [.verifier])
}

extension StartSession: ServiceRequest {
    package typealias Reply = StartSessionReply
    package static let method = Method(206, "StartSession", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension OpenSession: ServiceRequest {
    package typealias Reply = OpenSessionReply
    package static let method = Method(207, "OpenSession", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ResolveSession: ServiceRequest {
    package typealias Reply = ResolveSessionReply
    package static let method = Method(208, "ResolveSession", answeredBy: .registration, .reads, callers: [.gateway])
}

extension EndSession: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(209, "EndSession", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ReadOwnMethods: ServiceRequest {
    package typealias Reply = ReadOwnMethodsReply
    package static let method = Method(210, "ReadOwnMethods", answeredBy: .registration, .reads, callers: [.gateway])
}

extension CreateActivation: ServiceRequest {
    package typealias Reply = CreateActivationReply
    package static let method = Method(211, "CreateActivation", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension AwaitActivation: ServiceRequest {
    package typealias Reply = AwaitActivationReply
    package static let method = Method(
        212, "AwaitActivation", answeredBy: .registration, .reads, .parked, callers: [.gateway])
}

extension ReadActivationTicket: ServiceRequest {
    package typealias Reply = CreateActivationReply
    package static let method = Method(
        213, "ReadActivationTicket", answeredBy: .registration, .reads, callers: [.gateway])
}

extension RegisterDevice: ServiceRequest {
    package typealias Reply = RegisterDeviceReply
    package static let method = Method(214, "RegisterDevice", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ConfirmDevice: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(215, "ConfirmDevice", answeredBy: .registration, .keyed, callers: [.challenge])
}

extension ChangeDevice: ServiceRequest {
    package typealias Reply = DeviceReply
    package static let method = Method(216, "ChangeDevice", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension RemoveDevice: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(217, "RemoveDevice", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension StartPhoneSignIn: ServiceRequest {
    package typealias Reply = StartPhoneSignInReply
    package static let method = Method(218, "StartPhoneSignIn", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension DisablePhoneSignIn: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(
        219, "DisablePhoneSignIn", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension CreateUser: ServiceRequest {
    package typealias Reply = UserReply
    package static let method = Method(220, "CreateUser", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ReadUser: ServiceRequest {
    package typealias Reply = UserReply
    package static let method = Method(221, "ReadUser", answeredBy: .registration, .reads, callers: [.gateway])
}

extension ListUsers: ServiceRequest {
    package typealias Reply = ListUsersReply
    package static let method = Method(222, "ListUsers", answeredBy: .registration, .reads, callers: [.gateway])
}

extension ChangeUser: ServiceRequest {
    package typealias Reply = UserReply
    package static let method = Method(223, "ChangeUser", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension DeleteUser: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(224, "DeleteUser", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension SetBlocked: ServiceRequest {
    package typealias Reply = UserReply
    package static let method = Method(225, "SetBlocked", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ImportUsers: ServiceRequest {
    package typealias Reply = ImportUsersReply
    package static let method = Method(226, "ImportUsers", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension CreateGroup: ServiceRequest {
    package typealias Reply = GroupReply
    package static let method = Method(227, "CreateGroup", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ReadGroup: ServiceRequest {
    package typealias Reply = GroupReply
    package static let method = Method(228, "ReadGroup", answeredBy: .registration, .reads, callers: [.gateway])
}

extension ListGroups: ServiceRequest {
    package typealias Reply = ListGroupsReply
    package static let method = Method(229, "ListGroups", answeredBy: .registration, .reads, callers: [.gateway])
}

extension ChangeGroup: ServiceRequest {
    package typealias Reply = GroupReply
    package static let method = Method(230, "ChangeGroup", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension DeleteGroup: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(231, "DeleteGroup", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ChangeMembers: ServiceRequest {
    package typealias Reply = GroupReply
    package static let method = Method(232, "ChangeMembers", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ListMembers: ServiceRequest {
    package typealias Reply = ListUsersReply
    package static let method = Method(233, "ListMembers", answeredBy: .registration, .reads, callers: [.gateway])
}

extension IssuePass: ServiceRequest {
    package typealias Reply = IssuePassReply
    package static let method = Method(234, "IssuePass", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension ListDevices: ServiceRequest {
    package typealias Reply = ListDevicesReply
    package static let method = Method(235, "ListDevices", answeredBy: .registration, .reads, callers: [.gateway])
}

extension ListDirectoryAudit: ServiceRequest {
    package typealias Reply = ListAuditReply
    package static let method = Method(
        236, "ListDirectoryAudit", answeredBy: .registration, .reads, callers: [.gateway])
}

extension CheckTargets: ServiceRequest {
    package typealias Reply = CheckTargetsReply
    package static let method = Method(
        237, "CheckTargets", answeredBy: .registration, .reads, callers: [.policy, .gateway])
}

extension CompareModes: ServiceRequest {
    package typealias Reply = CompareModesReply
    package static let method = Method(238, "CompareModes", answeredBy: .registration, .reads, callers: [.policy])
}

extension ChooseDefaultMethod: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(
        239, "ChooseDefaultMethod", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension DropPushAddress: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(
        240, "DropPushAddress", answeredBy: .registration, .keyed, callers: [.notifier])
}

extension ListPasswordSignIns: ServiceRequest {
    package typealias Reply = ListPasswordSignInsReply
    package static let method = Method(
        241, "ListPasswordSignIns", answeredBy: .registration, .reads, callers: [.gateway])
}

extension ReportPasswordSignIn: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(
        242, "ReportPasswordSignIn", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension EndOtherSessions: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(
        243, "EndOtherSessions", answeredBy: .registration, .keyed, callers: [.gateway])
}

extension NoteDeviceUse: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(244, "NoteDeviceUse", answeredBy: .registration, .keyed, callers: [.challenge])
}

extension ReadPass: ServiceRequest {
    package typealias Reply = ReadPassReply
    package static let method = Method(245, "ReadPass", answeredBy: .registration, .reads, callers: [.gateway])
}

extension WithdrawPass: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(246, "WithdrawPass", answeredBy: .registration, .keyed, callers: [.gateway])
}

// MARK: challenge

extension BeginChallenge: ServiceRequest {
    package typealias Reply = BeginChallengeReply
    package static let method = Method(300, "BeginChallenge", answeredBy: .challenge, .keyed, callers: [.gateway])
}

extension BeginDeviceChallenge: ServiceRequest {
    package typealias Reply = BeginDeviceChallengeReply
    package static let method = Method(
        301, "BeginDeviceChallenge", answeredBy: .challenge, .keyed, callers: [.registration])
}

extension AwaitOutcome: ServiceRequest {
    package typealias Reply = OutcomeReply
    package static let method = Method(
        302, "AwaitOutcome", answeredBy: .challenge, .reads, .parked, callers: [.gateway])
}

extension ListPending: ServiceRequest {
    package typealias Reply = ListPendingReply
    package static let method = Method(303, "ListPending", answeredBy: .challenge, .reads, callers: [.gateway])
}

extension Settle: ServiceRequest {
    package typealias Reply = SettleReply
    package static let method = Method(304, "Settle", answeredBy: .challenge, .keyed, callers: [.verifier])
}

extension SubmitCode: ServiceRequest {
    package typealias Reply = OutcomeReply
    package static let method = Method(305, "SubmitCode", answeredBy: .challenge, .keyed, callers: [.gateway])
}

extension Redeem: ServiceRequest {
    package typealias Reply = RedeemReply
    package static let method = Method(306, "Redeem", answeredBy: .challenge, .keyed, .parked, callers: [.gateway])
}

extension CancelChallenge: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(307, "CancelChallenge", answeredBy: .challenge, .keyed, callers: [.gateway])
}

extension CancelForPerson: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(308, "CancelForPerson", answeredBy: .challenge, .keyed, callers: [.registration])
}

extension ListSignIns: ServiceRequest {
    package typealias Reply = ListSignInsReply
    package static let method = Method(309, "ListSignIns", answeredBy: .challenge, .reads, callers: [.gateway])
}

extension ReadAnswer: ServiceRequest {
    package typealias Reply = SettleReply
    package static let method = Method(310, "ReadAnswer", answeredBy: .challenge, .reads, callers: [.verifier])
}

extension SummarizeSignIns: ServiceRequest {
    package typealias Reply = SummarizeSignInsReply
    package static let method = Method(311, "SummarizeSignIns", answeredBy: .challenge, .reads, callers: [.gateway])
}

extension ReportSignIn: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(312, "ReportSignIn", answeredBy: .challenge, .keyed, callers: [.gateway])
}

extension CheckSignIn: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(313, "CheckSignIn", answeredBy: .challenge, .reads, callers: [.gateway])
}

// MARK: verifier

extension VerifyDeviceProof: ServiceRequest {
    package typealias Reply = VerifyDeviceProofReply
    package static let method = Method(400, "VerifyDeviceProof", answeredBy: .verifier, .keyed, callers: [.gateway])
}

extension VerifyAnswer: ServiceRequest {
    package typealias Reply = VerifyAnswerReply
    package static let method = Method(401, "VerifyAnswer", answeredBy: .verifier, .keyed, callers: [.gateway])
}

extension VerifyCode: ServiceRequest {
    package typealias Reply = VerifyCodeReply
    package static let method = Method(402, "VerifyCode", answeredBy: .verifier, .keyed, callers: [.challenge])
}

extension UnlockCodes: ServiceRequest {
    package typealias Reply = Wire.Empty
    package static let method = Method(403, "UnlockCodes", answeredBy: .verifier, .keyed, callers: [.gateway])
}

extension ListVerifierAudit: ServiceRequest {
    package typealias Reply = ListAuditReply
    package static let method = Method(404, "ListVerifierAudit", answeredBy: .verifier, .reads, callers: [.gateway])
}

// MARK: notifier

extension Notify: ServiceRequest {
    package typealias Reply = NotifyReply
    package static let method = Method(500, "Notify", answeredBy: .notifier, .keyed, callers: [.challenge])
}

extension Subscribe: ServiceRequest {
    package typealias Reply = SubscribeReply
    package static let method = Method(501, "Subscribe", answeredBy: .notifier, .keyed, callers: [.gateway])
}

extension Listen: ServiceRequest {
    package typealias Reply = ListenReply
    package static let method = Method(502, "Listen", answeredBy: .notifier, .reads, .parked, callers: [.gateway])
}

extension ListDeliveries: ServiceRequest {
    package typealias Reply = ListDeliveriesReply
    package static let method = Method(503, "ListDeliveries", answeredBy: .notifier, .reads, callers: [.gateway])
}

extension ReadPushKey: ServiceRequest {
    package typealias Reply = ReadPushKeyReply
    package static let method = Method(504, "ReadPushKey", answeredBy: .notifier, .reads, callers: [.gateway])
}

extension TestPush: ServiceRequest {
    package typealias Reply = TestPushReply
    package static let method = Method(505, "TestPush", answeredBy: .notifier, .keyed, callers: [.gateway])
}

extension Method {
    /// Every method of the bus, by number.
    package static let all: [Method] = [
        AuthenticateClient.method, AuthenticateToken.method, IssueToken.method, WatchPolicy.method,
        ReadPolicyDocument.method, ChangePolicyDocument.method, ReadSettings.method, ChangeSettings.method,
        CreateTenant.method, ListTenants.method, CreateClient.method, ListClients.method, DeleteClient.method,
        ListPolicyAudit.method, PreviewPolicy.method, RenewAdminToken.method, ReadClient.method,
        ResolvePerson.method, ReadPerson.method, ReadDevice.method, WatchDevices.method,
        ReadOfflineSecrets.method, VerifyPassword.method, StartSession.method, OpenSession.method,
        ResolveSession.method, EndSession.method, ReadOwnMethods.method, CreateActivation.method,
        AwaitActivation.method, ReadActivationTicket.method, RegisterDevice.method, ConfirmDevice.method,
        ChangeDevice.method, RemoveDevice.method, StartPhoneSignIn.method, DisablePhoneSignIn.method,
        CreateUser.method, ReadUser.method, ListUsers.method, ChangeUser.method, DeleteUser.method, SetBlocked.method,
        ImportUsers.method, CreateGroup.method, ReadGroup.method, ListGroups.method, ChangeGroup.method,
        DeleteGroup.method, ChangeMembers.method, ListMembers.method, IssuePass.method, ListDevices.method,
        ListDirectoryAudit.method, CheckTargets.method, CompareModes.method,
        ChooseDefaultMethod.method, DropPushAddress.method, ListPasswordSignIns.method, ReportPasswordSignIn.method,
        EndOtherSessions.method, NoteDeviceUse.method, ReadPass.method, WithdrawPass.method, BeginChallenge.method,
        BeginDeviceChallenge.method,
        AwaitOutcome.method, ListPending.method, Settle.method, SubmitCode.method, Redeem.method,
        CancelChallenge.method, CancelForPerson.method, ListSignIns.method, ReadAnswer.method, SummarizeSignIns.method,
        ReportSignIn.method, CheckSignIn.method,
        VerifyDeviceProof.method,
        VerifyAnswer.method, VerifyCode.method, UnlockCodes.method, ListVerifierAudit.method, Notify.method,
        Subscribe.method, Listen.method, ListDeliveries.method, ReadPushKey.method, TestPush.method,
    ]
}
