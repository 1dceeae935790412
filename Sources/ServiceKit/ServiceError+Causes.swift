package import Secrets
package import Storage
package import Wire

extension ServiceError {
    /// Every failure of a handler in the terms of the bus: the one place where storage and secrets become codes.
    ///
    /// The details are neutral; what failed exactly goes to the log of the process where it happened.
    package init(cause error: any Error) {
        switch error {
        case let error as ServiceError: self = error
        case let error as StorageError: self.init(storage: error)
        case let error as SecretsError: self.init(secrets: error)
        case is CancellationError: self.init(.unavailable, "the request was given up", retryAfter: .seconds(1))
        default: self.init(.internal, "something went wrong")
        }
    }

    package init(storage error: StorageError) {
        switch error {
        case .notFound: self.init(.notFound, "there is no such thing")
        case .alreadyExists: self.init(.alreadyExists, "this exists already")
        case .conflict: self.init(.conflict, "this was changed meanwhile")
        case .unavailable: self.init(.unavailable, "the store cannot be written", retryAfter: .seconds(1))
        case .unknown:
            self.init(
                .unavailable, "this may or may not have been done", retryAfter: .seconds(1),
                members: ["outcome": "unknown"])
        case .corrupt: self.init(.internal, "something went wrong")
        }
    }

    package init(secrets error: SecretsError) {
        switch error {
        case .busy, .unavailable: self.init(.unavailable, "too much is being checked at once", retryAfter: .seconds(1))
        case .notGenuine, .keyFile: self.init(.internal, "something went wrong")
        }
    }
}
