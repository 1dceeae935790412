package import Messaging
import Wire

extension RegistrationService {
    /// Every message that this service answers.
    package var routes: Routes {
        var routes = Routes(service: .registration)
        addLookups(to: &routes)
        addSessions(to: &routes)
        addPhones(to: &routes)
        addDirectory(to: &routes)
        return routes
    }

    private func addLookups(to routes: inout Routes) {
        routes.on(ResolvePerson.self) { try await self.resolvePerson($0, $1) }
        routes.on(ReadPerson.self) { try await self.readPerson($0, $1) }
        routes.on(ReadDevice.self) { try await self.readDevice($0, $1) }
        routes.on(WatchDevices.self) { try await self.watchDevices($0, $1) }
        routes.on(ReadOfflineSecrets.self) { try await self.readOfflineSecrets($0, $1) }
        routes.on(ReadOwnMethods.self) { try await self.readOwnMethods($0, $1) }
        routes.on(ListDevices.self) { try await self.listDevices($0, $1) }
        routes.on(CheckTargets.self) { try await self.checkTargets($0, $1) }
        routes.on(CompareModes.self) { try await self.compareModes($0, $1) }
        routes.on(ListDirectoryAudit.self) { try await self.listAudit($0, $1) }
    }

    private func addSessions(to routes: inout Routes) {
        routes.on(VerifyPassword.self) { try await self.verifyPassword($0, $1) }
        routes.on(StartSession.self) { try await self.startSession($0, $1) }
        routes.on(OpenSession.self) { try await self.openSession($0, $1) }
        routes.on(ResolveSession.self) { try await self.resolveSession($0, $1) }
        routes.on(EndSession.self) { try await self.endSession($0, $1) }
        routes.on(EndOtherSessions.self) { try await self.endOtherSessions($0, $1) }
        routes.on(ListPasswordSignIns.self) { try await self.listPasswordSignIns($0, $1) }
        routes.on(ReportPasswordSignIn.self) { try await self.reportPasswordSignIn($0, $1) }
        routes.on(ChooseDefaultMethod.self) { try await self.chooseDefaultMethod($0, $1) }
        routes.on(IssuePass.self) { try await self.issuePass($0, $1) }
        routes.on(ReadPass.self) { try await self.readPass($0, $1) }
        routes.on(WithdrawPass.self) { try await self.withdrawPass($0, $1) }
    }

    private func addPhones(to routes: inout Routes) {
        routes.on(CreateActivation.self) { try await self.createActivation($0, $1) }
        routes.on(AwaitActivation.self) { try await self.awaitActivation($0, $1) }
        routes.on(ReadActivationTicket.self) { try await self.readActivationTicket($0, $1) }
        routes.on(RegisterDevice.self) { try await self.registerDevice($0, $1) }
        routes.on(ConfirmDevice.self) { try await self.confirmDevice($0, $1) }
        routes.on(ChangeDevice.self) { try await self.changeDevice($0, $1) }
        routes.on(DropPushAddress.self) { try await self.dropPushAddress($0, $1) }
        routes.on(RemoveDevice.self) { try await self.removeDevice($0, $1) }
        routes.on(NoteDeviceUse.self) { try await self.noteDeviceUse($0, $1) }
        routes.on(StartPhoneSignIn.self) { try await self.startPhoneSignIn($0, $1) }
        routes.on(DisablePhoneSignIn.self) { try await self.disablePhoneSignIn($0, $1) }
    }

    private func addDirectory(to routes: inout Routes) {
        routes.on(CreateUser.self) { try await self.createUser($0, $1) }
        routes.on(ReadUser.self) { try await self.readUser($0, $1) }
        routes.on(ListUsers.self) { try await self.listUsers($0, $1) }
        routes.on(ChangeUser.self) { try await self.changeUser($0, $1) }
        routes.on(DeleteUser.self) { try await self.deleteUser($0, $1) }
        routes.on(SetBlocked.self) { try await self.setBlocked($0, $1) }
        routes.on(ImportUsers.self) { try await self.importUsers($0, $1) }
        routes.on(CreateGroup.self) { try await self.createGroup($0, $1) }
        routes.on(ReadGroup.self) { try await self.readGroup($0, $1) }
        routes.on(ListGroups.self) { try await self.listGroups($0, $1) }
        routes.on(ChangeGroup.self) { try await self.changeGroup($0, $1) }
        routes.on(DeleteGroup.self) { try await self.deleteGroup($0, $1) }
        routes.on(ChangeMembers.self) { try await self.changeMembers($0, $1) }
        routes.on(ListMembers.self) { try await self.listMembers($0, $1) }
    }
}
