/// Where the phone's keys live. On iOS: the Secure Enclave, with its key blobs in the Keychain.
public protocol KeyStore: Sendable {
    /// The phone's one key, made on first use: accounts sign with it unless they were given one of their own.
    func sharedKey() async throws -> any DeviceKey
    /// Makes another key and keeps it.
    func makeKey() async throws -> any DeviceKey
    /// The key of that name; nil when there is none.
    func key(_ id: KeyID) async throws -> (any DeviceKey)?
    /// Forgets a key; one that is not there is no error.
    func removeKey(_ id: KeyID) async throws
}

/// Where the accounts live. They hold offline-code secrets, so on iOS: one Keychain item, this device only.
public protocol AccountStore: Sendable {
    /// All accounts, in the order in which they were added.
    func accounts() async throws -> [Account]
    /// Reads, changes and writes all accounts as one step, wholly or not at all, also against other processes.
    func update(_ change: @escaping @Sendable (inout [Account]) -> Void) async throws
}

/// Keys and accounts in memory: for tests, previews, and phones that are simulated.
public actor MemoryVault: KeyStore, AccountStore {
    private var keys: [KeyID: SoftwareKey] = [:]
    private var shared: KeyID?
    private var stored: [Account] = []

    public init() {}

    /// A phone that was kept elsewhere: its one key and what was activated with it.
    public init(key: SoftwareKey, accounts: [Account]) {
        keys = [key.id: key]
        shared = key.id
        stored = accounts
    }

    public func sharedKey() -> any DeviceKey {
        if let shared, let key = keys[shared] { return key }
        let key = add(SoftwareKey())
        shared = key.id
        return key
    }

    public func makeKey() -> any DeviceKey { add(SoftwareKey()) }
    public func key(_ id: KeyID) -> (any DeviceKey)? { keys[id] }
    public func removeKey(_ id: KeyID) { keys[id] = nil }
    public func accounts() -> [Account] { stored }
    public func update(_ change: @escaping @Sendable (inout [Account]) -> Void) { change(&stored) }

    private func add(_ key: SoftwareKey) -> SoftwareKey {
        keys[key.id] = key
        return key
    }
}
