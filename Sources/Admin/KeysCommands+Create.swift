import ArgumentParser
import Messaging
import Secrets
import Wire

extension KeysCommands {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes each process's own keys, in a folder a process, where they are missing.",
            discussion: """
                FOLDER/<service>/<service>.key is a CURVE key for bus.keys, FOLDER/<service>/<service>.sealing.key the key for
                secrets.keyFile, FOLDER/trust/<service>.pub the public keys for bus.trust. Give each process its own folder and the
                trusted keys, to read; processes without bus.trust make their keys themselves. What is there is left as it is: keep a
                copy of it.
                """)

        private static let services: [ServiceName] = [
            .policy, .registration, .challenge, .verifier, .notifier, .gateway,
        ]

        @Argument(help: ArgumentHelp("Where to make them; it must exist.", valueName: "folder")) var folder: String

        func run() async throws {
            try await reporting {
                try KeysCommands.reportingKeys { for service in Self.services { try create(service) } }
                Output(isJSON: false).done("The keys of \(Self.services.count) services are in \(folder).")
            }
        }

        private func create(_ service: ServiceName) throws {
            let own = "\(folder)/\(service.rawValue)"
            try CurveKeys.create(folder: own, service: service, trust: "\(folder)/trust")
            // The gateway keeps nothing, so it seals nothing.
            guard service != .gateway else { return }
            do {
                _ = try Sealer(keyFile: "\(own)/\(service.rawValue).sealing.key")
            } catch SecretsError.keyFile(let detail) {
                throw AdminFailure(.badData, detail)
            }
        }
    }
}
