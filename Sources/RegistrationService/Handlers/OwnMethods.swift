import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

// What a person sees and chooses of their own.

extension RegistrationService {
    func readOwnMethods(_ request: ReadOwnMethods, _ context: HandlerContext) async throws -> ReadOwnMethodsReply {
        let (tenant, now, vault) = (TenantID(request.tenant), now(), vault)
        return try await store.read { records in
            let person = try records.needPerson(request.personID, tenant: tenant)
            let record = try records.record(person)
            let devices = try records.devices(of: person.id, tenant: tenant).map { try $0.record(vault) }
            let pass = try records.pass(of: person.id, tenant: tenant)
            return ReadOwnMethodsReply.with {
                $0.person = record
                $0.devices = devices
                $0.hasPassword_p = person.passwordHash != nil
                $0.hasPass_p = pass?.isUsable(at: now) ?? false
                $0.defaultMethod = person.defaultMethod?.rawValue ?? ""
            }
        }
    }

    /// Throws `malformed` for a word that is no method. Whether the method can be used now is the caller's to know.
    func chooseDefaultMethod(_ request: ChooseDefaultMethod, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        guard let method = DefaultMethod(rawValue: request.method) else {
            throw ServiceError(.malformed, "the default method is phoneSignIn, push or code")
        }
        return try await change(request, context) { change in
            var person = try change.records.needPerson(request.personID, tenant: tenant)
            let before = person.defaultMethod
            guard before != method else { return Wire.Empty() }
            person.defaultMethod = method
            try change.records.update(person)
            func document(_ method: DefaultMethod?) -> JSONValue {
                ["username": .string(person.username), "defaultMethod": method.map { .string($0.rawValue) } ?? .null]
            }
            try change.audit(
                .person(person), "user.default-method", tenant: tenant, target: person.id.rawValue,
                before: document(before), after: document(method))
            return Wire.Empty()
        }
    }
}
