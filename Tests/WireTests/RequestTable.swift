import Foundation
import Wire

/// Every request of the bus as a type. `MethodTests` checks it against the source, so that none is forgotten.
enum RequestTable {
    static let all: [any ServiceRequest.Type] = [
        AuthenticateClient.self, AuthenticateToken.self, IssueToken.self, WatchPolicy.self, ReadPolicyDocument.self,
        ChangePolicyDocument.self, ReadSettings.self, ChangeSettings.self, CreateTenant.self, ListTenants.self,
        CreateClient.self, ListClients.self, DeleteClient.self, ListPolicyAudit.self, PreviewPolicy.self,
        RenewAdminToken.self, ReadClient.self,
        ResolvePerson.self, ReadPerson.self, ReadDevice.self, WatchDevices.self, ReadOfflineSecrets.self,
        VerifyPassword.self,
        StartSession.self, OpenSession.self, ResolveSession.self, EndSession.self, ReadOwnMethods.self,
        CreateActivation.self, AwaitActivation.self, ReadActivationTicket.self, RegisterDevice.self,
        ConfirmDevice.self, ChangeDevice.self, RemoveDevice.self, StartPhoneSignIn.self, DisablePhoneSignIn.self,
        CreateUser.self, ReadUser.self, ListUsers.self, ChangeUser.self, DeleteUser.self, SetBlocked.self,
        ImportUsers.self, CreateGroup.self, ReadGroup.self, ListGroups.self, ChangeGroup.self, DeleteGroup.self,
        ChangeMembers.self, ListMembers.self, IssuePass.self, ListDevices.self, ListDirectoryAudit.self,
        CheckTargets.self, CompareModes.self, ChooseDefaultMethod.self, DropPushAddress.self,
        ListPasswordSignIns.self, ReportPasswordSignIn.self, EndOtherSessions.self, NoteDeviceUse.self,
        ReadPass.self, WithdrawPass.self, BeginChallenge.self, BeginDeviceChallenge.self, AwaitOutcome.self,
        ListPending.self,
        Settle.self, SubmitCode.self, Redeem.self, CancelChallenge.self, CancelForPerson.self, ListSignIns.self,
        ReadAnswer.self, SummarizeSignIns.self, ReportSignIn.self, CheckSignIn.self, VerifyDeviceProof.self,
        VerifyAnswer.self,
        VerifyCode.self,
        UnlockCodes.self,
        ListVerifierAudit.self, Notify.self, Subscribe.self, Listen.self, ListDeliveries.self, ReadPushKey.self,
        TestPush.self,
    ]

    /// The text of a file of the Wire module.
    static func source(_ path: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: folder.appending(path: "Sources/Wire/\(path)"), encoding: .utf8)
    }

    /// What follows `prefix` on each line that begins with it, up to the first character that is not part of a name.
    static func names(after prefix: String, in source: String) -> [String] {
        source.split(separator: "\n").compactMap { line in
            guard line.hasPrefix(prefix) else { return nil }
            return String(line.dropFirst(prefix.count).prefix { $0.isLetter || $0.isNumber })
        }
    }
}
