package import Messaging
import Wire

extension VerifierService {
    /// The whole table: message to handler.
    package var routes: Routes {
        var routes = Routes(service: .verifier)
        routes.on(VerifyDeviceProof.self, proofs.handle)
        routes.on(VerifyAnswer.self, answers.handle)
        routes.on(VerifyCode.self, codes.handle)
        routes.on(UnlockCodes.self, administration.unlock)
        routes.on(ListVerifierAudit.self, administration.audit)
        return routes
    }
}
