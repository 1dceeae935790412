import ArgumentParser
import DeviceAPI
import Domain

struct PushCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Push providers.", subcommands: [Check.self, Seal.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends a test to one device and says what its push provider answered.",
            discussion: """
                The device gets a wake-up with nothing to fetch. Without --device the person must have one device with a push address.

                Exit codes beside the usual ones: 0 the provider took it, 75 it could not now, 77 it refuses our settings or this \
                address, 66 the device has no push address, or no provider is set up for it.
                """)
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String
        @Option(help: "The device's id.") var device: String?

        func run() async throws {
            try await connection.run { tenant in
                let person = try await tenant.personID(user)
                let device = try await chosen(of: person, tenant)
                let path = APIPaths.pushCheck(tenant.tenant, person, DeviceID(device.id))
                let check: PushCheck = try await tenant.client.call(.post(path)).decode()
                try tenant.output.one(check, Self.members(check, device))
                guard let failure = Self.failure(check) else { return }
                // What was printed says the rest, also to a program.
                Output.complain(failure.description)
                throw ExitCode(failure.kind.rawValue)
            }
        }

        private func chosen(of person: PersonID, _ tenant: TenantAdministration) async throws -> DeviceDocument {
            let devices = try await tenant.all(DeviceDocument.self, APIPaths.userDevices(tenant.tenant, person))
            let fitting = devices.filter { device == nil ? $0.pushTransport != .none : $0.id == device }
            guard let first = fitting.first else {
                let what = device.map { "no device \($0.plain)" } ?? "no device with a push address"
                throw AdminFailure(.noInput, "\(user.plain) has \(what)")
            }
            guard fitting.count == 1 else {
                let ids = fitting.map { "\($0.id) (\($0.name.plain))" }.joined(separator: ", ")
                throw AdminFailure(.usage, "several devices have a push address; name one with --device: \(ids)")
            }
            guard first.pushTransport != .none else {
                throw AdminFailure(.noInput, "the device \(first.name.plain) has no push address")
            }
            return first
        }

        private static func members(_ check: PushCheck, _ device: DeviceDocument) -> [(String, String)] {
            [
                ("device", "\(device.name) (\(device.id))"), ("transport", check.transport.rawValue),
                ("outcome", check.outcome), ("status", check.status.map(String.init) ?? "none"),
                ("reason", check.reason ?? "none"), ("latency", "\(check.latencyMilliseconds) ms"),
            ]
        }

        /// Nil when the provider took it.
        static func failure(_ check: PushCheck) -> AdminFailure? {
            switch check.outcome {
            case "delivered": nil
            case "expired_address":
                AdminFailure(
                    .refused,
                    "the provider does not know the address any more; it was dropped, unless the phone has registered it since"
                )
            case "foreign_address":
                AdminFailure(.refused, "the address is of another application, project or environment")
            case "configuration": AdminFailure(.refused, "the provider refuses our key, topic, project or sender")
            case "too_large": AdminFailure(.refused, "the provider finds the message too large")
            case "no_driver": AdminFailure(.noInput, "no provider is set up for \(check.transport.rawValue)")
            case "retry", "throttled": AdminFailure(.tryLater, "the provider is busy or limits us")
            case "paused":
                AdminFailure(
                    .tryLater, "the provider failed lately, or wants this device left alone for now: it was not asked")
            case "unreachable": AdminFailure(.tryLater, "the provider cannot be reached")
            case "timeout": AdminFailure(.tryLater, "the provider did not answer in time")
            default: AdminFailure(.unexpectedReply, "unknown outcome \(check.outcome.plain)")
            }
        }
    }
}
