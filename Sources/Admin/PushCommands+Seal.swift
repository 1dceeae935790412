import ArgumentParser
import Domain
import Foundation
import Secrets

extension PushCommands {
    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Seals a provider's key for one account of the notifier, whose key file opens it and nothing else.",
            discussion: """
                Works on files, where the notifier's are, and not through the gateway. KEY is what the provider gave: a \
                private key in PEM (apns, webpush) or a service account (fcm), mode 0600; or a key that was sealed for the \
                same account, to be sealed under the first key of the ring. Name SEALED in the account's file, send the \
                notifier SIGHUP, and take KEY off this machine.

                Exit codes: 64 usage, 65 no key of this kind, or not sealed for this account, 66 no such file, 73 SEALED \
                cannot be written.
                """)

        @Argument(help: "apns, fcm or webpush.") var provider: String
        @Argument(help: ArgumentHelp("The file of the key.", valueName: "key")) var keyFile: String
        @Argument(help: ArgumentHelp("The file to write, as KEY itself.", valueName: "sealed")) var sealedFile: String
        @Option(help: ArgumentHelp("The tenant, or default: the account's file without .json.", valueName: "name"))
        var account: String
        @Option(help: ArgumentHelp("The notifier's secrets.keyFile, which must exist.", valueName: "file"))
        var sealingKey: String

        func run() async throws {
            try await reporting {
                guard let transport = PushTransport(rawValue: provider), transport != .none else {
                    throw AdminFailure(.usage, "a provider is apns, fcm or webpush")
                }
                // A ring that is made here would open nothing where the notifier runs.
                guard FileManager.default.fileExists(atPath: sealingKey) else {
                    throw AdminFailure(.noInput, "\(sealingKey): no such file; the notifier makes it when it starts")
                }
                let purpose = transport.sealingPurpose(account: account)
                let given = Array(try SecretFile.read(keyFile))
                do {
                    let sealer = try Sealer(keyFile: sealingKey)
                    let isSealed = SealedFile.isSealed(given)
                    let key = isSealed ? try SealedFile.open(given, with: sealer, for: purpose) : given
                    guard Self.isKey(key, of: transport) else {
                        throw AdminFailure(.badData, "\(keyFile) holds no key for \(provider)")
                    }
                    try SecretFile.write(Data(try SealedFile.seal(key, with: sealer, for: purpose)), to: sealedFile)
                } catch SecretsError.keyFile(let detail) {
                    throw AdminFailure(.badData, detail)
                } catch SecretsError.notGenuine {
                    throw AdminFailure(
                        .badData, "\(keyFile) is not sealed for \(provider) of \(account) under a key of \(sealingKey)")
                }
                Output(isJSON: false).done("\(sealedFile) is the key for \(provider) of \(account).")
            }
        }

        /// Whether it is one at all; the notifier says whether it is a good one.
        private static func isKey(_ bytes: [UInt8], of transport: PushTransport) -> Bool {
            struct Account: Decodable { let type: String }
            switch transport {
            case .fcm: return (try? JSONDecoder().decode(Account.self, from: Data(bytes)))?.type == "service_account"
            case .apns, .webpush: return String(decoding: bytes, as: UTF8.self).contains("PRIVATE KEY-----")
            case .none: return false
            }
        }
    }
}
