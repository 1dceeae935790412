import Domain
import Logging
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    /// Tries a call that was just committed, once; what fails is left to `repeatCalls`.
    func attempt(_ sequence: Int64) async {
        let (at, until) = lease()
        do {
            guard let call = try await store.write({ try $0.lease(sequence, at: at, until: until) }) else { return }
            await deliver(call)
        } catch {
            logger.warning("call not leased", metadata: ["error": "\(error)"])
        }
        callsChanged.advance()
    }

    /// Repeats what has not arrived, until the task is cancelled. Sleeps until the next call is due, or until there is one; where other
    /// processes share the store, no longer than until it looks whether one of them ended and left a call.
    func repeatCalls() async {
        let longestPause =
            store.announcements == nil ? configuration.callBackOffLongest : configuration.adoptionInterval
        var storeBackOff = BackOff(first: configuration.callBackOffFirst, longest: configuration.callBackOffLongest)
        while !Task.isCancelled {
            let seen = callsChanged.count
            var pause = configuration.callBackOffLongest
            do {
                if try await repeatDueCalls() > 0 { continue }
                if let due = try await store.read({ try $0.nextCallDue() }) {
                    pause = max(due - now(), .milliseconds(1))
                }
                storeBackOff.reset()
            } catch {
                logger.warning("calls not read", metadata: ["error": "\(error)"])
                pause = storeBackOff.next()
            }
            await callsChanged.wait(past: seen, atMost: min(pause, longestPause))
        }
    }

    /// Makes one attempt at each call that is due; returns how many there were.
    package func repeatDueCalls() async throws -> Int {
        let (at, until) = lease()
        let limit = configuration.callsAtOnce
        let calls = try await store.write { try $0.leaseDue(at: at, until: until, limit: limit) }
        await withTaskGroup(of: Void.self) { group in
            for call in calls {
                group.addTask {
                    await self.tellAgain(of: call)
                    await self.deliver(call)
                }
            }
        }
        return calls.count
    }

    /// Whoever committed this call may have ended before telling that the person, or a phone, lost its right: nobody may go on
    /// trusting a key on the strength of a word that never came.
    private func tellAgain(of call: OutboundCall) async {
        guard call.kind == .cancelForPerson, let request: CancelForPerson = try? message(call) else { return }
        let change = DeviceChange.with {
            $0.tenant = request.tenant
            $0.personID = request.personID
        }
        announce(Effects(changes: [change]))
        await feed.publish([change])
    }

    private func lease() -> (Timestamp, Timestamp) {
        let at = now()
        return (at, at + configuration.callLease)
    }

    private func deliver(_ call: OutboundCall) async {
        do {
            switch call.kind {
            case .beginRegistration: try await beginRegistration(call)
            case .cancelForPerson:
                let request: CancelForPerson = try message(call)
                _ = try await caller.call(request, context(call))
                try await finish(call)
            }
            metrics.called(.delivered)
        } catch let error as ServiceError where !error.mayPass {
            await giveUp(call, error)
        } catch {
            await postpone(call, error)
        }
    }

    private func beginRegistration(_ call: OutboundCall) async throws {
        let request: BeginDeviceChallenge = try message(call)
        let reply = try await caller.call(request, context(call))
        let (tenant, device, vault) = (call.tenant, DeviceID(request.deviceID), vault)
        let activation = try await store.write { records -> ActivationID? in
            guard try records.finish(call), var activation = try records.activation(device: device, tenant: tenant)
            else { return nil }
            activation.sealedNumber = try vault.seal(Array(reply.number.utf8), .number(tenant, activation.id))
            try records.update(activation)
            return activation.id
        }
        if let activation {
            announce(Effects(activations: [activation]))
            activations.advance(activation)
        }
    }

    private func message<Request: ServiceRequest>(_ call: OutboundCall) throws -> Request {
        try Request(serializedBytes: vault.open(call.body, .call(call.request)))
    }

    private func context(_ call: OutboundCall) -> CallContext {
        CallContext(requestID: call.request, originID: call.origin, deadline: .now + configuration.callTimeout)
    }

    private func finish(_ call: OutboundCall) async throws { _ = try await store.write { try $0.finish(call) } }

    private func postpone(_ call: OutboundCall, _ error: any Error) async {
        metrics.called(.postponed)
        let code = (error as? ServiceError)?.code.name ?? "\(type(of: error))"
        logger.warning(
            "call postponed",
            metadata: [
                "requestId": "\(call.origin)", "kind": "\(call.kind.rawValue)", "attempts": "\(call.attempts)",
                "error": "\(code)",
            ])
        let doubling = min(max(call.attempts - 1, 0), 20)
        let ceiling = min(configuration.callBackOffFirst * (1 << doubling), configuration.callBackOffLongest)
        let due = now() + ceiling * Double.random(in: 0.5...1)
        // When this fails too, the lease ends by itself and the call is due again.
        try? await store.write { try $0.postpone(call, to: due) }
    }

    /// challenge will never take this call: a registration that cannot be confirmed ends.
    private func giveUp(_ call: OutboundCall, _ error: ServiceError) async {
        metrics.called(.refused)
        logger.error(
            "call refused",
            metadata: ["requestId": "\(call.origin)", "kind": "\(call.kind.rawValue)", "error": "\(error.code.name)"])
        guard call.kind == .beginRegistration, let request: BeginDeviceChallenge = try? message(call) else {
            try? await finish(call)
            return
        }
        let context = HandlerContext(caller: .challenge, call: context(call))
        try? await apply(context) { change in
            guard try change.records.finish(call) else { return }
            try Self.endRegistration(DeviceID(request.deviceID), tenant: call.tenant, change)
        }
    }
}

extension ServiceError {
    /// Whether the same call may go through later.
    fileprivate var mayPass: Bool {
        switch code {
        case .unavailable, .overloaded, .internal, .tooManyAttempts: true
        default: false
        }
    }
}
