import ArgumentParser
import Domain
import Messaging
import Wire

struct KeysCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes and exchanges the keys by which the processes know each other.",
        subcommands: [Create.self, Status.self, Rotate.self])

    struct Options: ParsableArguments {
        @Option(help: ArgumentHelp("The key folder (bus.keys of the services).", valueName: "folder"))
        var keys: String

        @Option(
            help: ArgumentHelp(
                "The folder of public keys (bus.trust of the services), if it is another.", valueName: "folder"))
        var trust: String?

        @Flag(help: "Print one JSON object a line.")
        var json = false

        func exchange(of service: ServiceName) -> KeyExchange {
            KeyExchange(service, folder: keys, trust: trust)
        }

        func show(_ services: [ServiceName]) throws {
            let found = try services.map { service in
                KeyStatus(service: service.rawValue, stage: try exchange(of: service).stage().rawValue)
            }
            try Output(isJSON: json).list(found, [("service", { $0.service }), ("stage", { $0.stage })])
        }
    }

    struct KeyStatus: Encodable {
        let service: String
        let stage: String
    }

    enum Step: String, ExpressibleByArgument, CaseIterable {
        case prepare, use, retire
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says of each service with a key here: settled, prepared or switched.")
        @OptionGroup var options: Options

        func run() async throws {
            try await reporting {
                try KeysCommands.reportingKeys {
                    try options.show(ServiceName.allCases.filter { options.exchange(of: $0).hasPair })
                }
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a service a new key: prepare, use, restart its processes one by one, retire.",
            discussion: """
                Without --step it prepares the next key, waits until every process has read it, and makes it the service's own. Then
                restart the service's processes, one after another; both keys are accepted meanwhile. `--step retire` ends the trust
                in the old one.

                With a key folder on each host: `--step prepare` where the secret is, copy SERVICE-next.pub to the others, `--step
                use`, copy SERVICE.pub and SERVICE-previous.pub and remove SERVICE-next.pub there; at the end remove
                SERVICE-previous.pub.

                Exit codes: 64 usage, 65 the folder does not allow this step.
                """)

        @OptionGroup var options: Options

        @Argument(help: "policy, registration, challenge, verifier, notifier or gateway.")
        var service: String

        @Option(help: "prepare, use or retire alone.")
        var step: Step?

        @Option(
            help: ArgumentHelp("Seconds between prepare and use, 2 to 3600; processes read the folder every second."))
        var wait = 3

        func run() async throws {
            try await reporting {
                guard let name = ServiceName(rawValue: service) else {
                    throw AdminFailure(
                        .usage, "a service is one of \(ServiceName.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                guard (2...3600).contains(wait) else { throw AdminFailure(.usage, "--wait must be 2 to 3600") }
                let exchange = options.exchange(of: name)
                try KeysCommands.reportingKeys { if step == nil || step == .prepare { try exchange.prepare() } }
                if step == nil { try await Task.sleep(for: .seconds(wait)) }
                try KeysCommands.reportingKeys {
                    if step == nil || step == .use { try exchange.use() }
                    if step == .retire { try exchange.retire() }
                    try options.show([name])
                }
                if step == nil || step == .use {
                    Output(isJSON: options.json).done(
                        "Restart the \(service) processes one after another, then run it with --step retire.")
                }
            }
        }
    }

    static func reportingKeys(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch let error as BusError {
            throw AdminFailure(.badData, error.description)
        }
    }
}
