package import Messaging
import Wire

extension ChallengeService {
    /// The whole table: message to handler.
    package var routes: Routes {
        var routes = Routes(service: .challenge)
        routes.on(BeginChallenge.self) { try await self.begin($0, $1) }
        routes.on(BeginDeviceChallenge.self) { try await self.beginForDevice($0, $1) }
        routes.on(AwaitOutcome.self) { try await self.awaitOutcome($0, $1) }
        routes.on(ListPending.self) { try await self.listPending($0, $1) }
        routes.on(Settle.self) { try await self.settle($0, $1) }
        routes.on(ReadAnswer.self) { try await self.readAnswer($0, $1) }
        routes.on(SubmitCode.self) { try await self.submitCode($0, $1) }
        routes.on(Redeem.self) { try await self.redeem($0, $1) }
        routes.on(CancelChallenge.self) { try await self.cancel($0, $1) }
        routes.on(CancelForPerson.self) { try await self.cancelForPerson($0, $1) }
        routes.on(ListSignIns.self) { try await self.listSignIns($0, $1) }
        routes.on(SummarizeSignIns.self) { try await self.summarizeSignIns($0, $1) }
        routes.on(CheckSignIn.self) { try await self.checkSignIn($0, $1) }
        routes.on(ReportSignIn.self) { try await self.reportSignIn($0, $1) }
        return routes
    }
}
