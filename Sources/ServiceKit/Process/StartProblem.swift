import Messaging
import Secrets
import Storage

/// Why a process could not start, or does not serve, for a reason outside of it.
package enum StartProblem: Error, Hashable, Sendable, CustomStringConvertible {
    case listen(String, reason: String)
    /// What was asked for its health gave no answer, or one that says that it is not ready.
    case notReady(String, reason: String)

    package var description: String {
        switch self {
        case .listen(let address, let reason): "cannot listen on \(address): \(reason)"
        case .notReady(let address, let reason): "\(address) is not ready: \(reason)"
        }
    }
}

/// How a process ends (sysexits.h), so that whoever restarts it knows whether that can help.
package enum ExitStatus: Int32, Sendable {
    case done = 0
    /// Something that this process needs cannot be had now.
    case unavailable = 69
    case `internal` = 70
    /// Starting again with the same configuration will fail again.
    case configuration = 78

    package init(_ error: any Error) {
        switch error {
        case is ConfigurationProblems, is ConfigurationProblem: self = .configuration
        case let error as BusError:
            switch error {
            case .configuration, .keys: self = .configuration
            case .bind, .stopped: self = .unavailable
            }
        case let error as StoreOpeningError:
            switch error {
            case .newer, .foreign: self = .configuration
            case .owned, .inaccessible: self = .unavailable
            }
        case let error as SecretsError:
            if case .keyFile = error { self = .configuration } else { self = .internal }
        case is StartProblem: self = .unavailable
        case let error as StorageError: self = [.unavailable, .unknown].contains(error) ? .unavailable : .internal
        default: self = .internal
        }
    }
}

/// An error in words for the operator: what is safe to print is what its type says of itself.
func sentence(of error: any Error) -> String {
    if case SecretsError.keyFile(let detail) = error { return detail }
    return "\(error)"
}
