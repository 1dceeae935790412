// swift-tools-version: 6.2
import PackageDescription

// The list below reads as the architecture: lowest layer first, and a target imports only what stands above it.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

func system(_ name: String, debian package: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", providers: [.apt([package])])
}

func service(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "countersign-\(name)",
        dependencies: dependencies + ["ServiceKit", "Messaging", "Storage", "Wire"],
        path: "services/\(name)",
        exclude: ["README.md", "\(name).service", "\(name).yaml"],
        swiftSettings: settings
    )
}

func command(_ name: String, folder: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + [argumentParser], path: "Sources/\(folder)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", swiftSettings: settings)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdHTTP2: Target.Dependency = .product(name: "HummingbirdHTTP2", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioFoundation: Target.Dependency = .product(name: "NIOFoundationCompat", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHPACK: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "countersign",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "Authenticator", targets: ["Authenticator"]),
        .library(name: "AuthenticatorHTTP", targets: ["AuthenticatorHTTP"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams", "6.2.0"..<"7.0.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries: module maps only
        system("CZeroMQ", debian: "libzmq3-dev"),
        system("COpenSSL", debian: "libssl-dev"),
        system("CPostgreSQL", debian: "libpq-dev"),
        system("CQREncode", debian: "libqrencode-dev"),
        system("CZBar", debian: "libzbar-dev"),
        system("CGD", debian: "libgd-dev"),
        system("CZlib", debian: "zlib1g-dev"),

        // Rules and vocabulary
        module("Domain"),
        module("Failpoints"),
        module("EventLoopTasks", [nioCore]),
        module("Proofs", ["Domain", crypto]),
        module("DeviceAPI", ["Domain"]),
        module("Wire", ["Domain", protobuf], exclude: ["Schemas"]),
        module("Secrets", ["Domain", "COpenSSL"]),

        // Machinery
        module("Messaging", ["Domain", "Failpoints", "Wire", "Secrets", "CZeroMQ", logging, protobuf]),
        module("Telemetry", ["Domain", logging, tracing]),
        module("Storage", ["Domain"]),
        module(
            "StorageSQLite", ["Domain", "Failpoints", "Storage", "Telemetry", grdb, logging],
            resources: [.embedInCode("Migrations")]),
        module(
            "StoragePostgreSQL", ["Domain", "Failpoints", "Storage", "Secrets", "CPostgreSQL"],
            resources: [.embedInCode("Migrations")]),
        module(
            "ServiceKit",
            [
                "Domain", "Failpoints", "Wire", "Messaging", "Telemetry", "Storage", "Secrets", "Proofs",
                argumentParser, asyncHTTPClient, configuration, lifecycle, logging, nioCore, nioHTTP1, nioPosix,
                protobuf, tracing, unixSignals, yams,
            ]),

        module("StoreCopy", ["Secrets", "Storage", "StoragePostgreSQL", "StorageSQLite"]),

        // The services
        module(
            "PolicyService",
            [
                "Domain", "Wire", "Messaging", "Storage", "Telemetry", "ServiceKit", "Secrets", "Proofs", lifecycle,
                logging, protobuf,
            ]),
        module(
            "RegistrationService",
            [
                "Domain", "Wire", "Messaging", "Storage", "Telemetry", "ServiceKit", "Secrets", "Proofs", lifecycle,
                logging, protobuf,
            ]),
        module(
            "ChallengeService",
            [
                "Domain", "Failpoints", "Wire", "Messaging", "Storage", "Telemetry", "ServiceKit", "Secrets", "Proofs",
                lifecycle, logging, protobuf,
            ]),
        module(
            "VerifierService",
            [
                "Domain", "Wire", "Messaging", "Storage", "Telemetry", "ServiceKit", "Secrets", "Proofs", lifecycle,
                logging, protobuf,
            ]),
        module(
            "NotifierService",
            [
                "Domain", "Wire", "Messaging", "Storage", "Telemetry", "ServiceKit", "Secrets", "EventLoopTasks",
                "Proofs",
                asyncHTTPClient, crypto, cryptoExtras, lifecycle, logging, nioCore, nioFoundation, nioHPACK, nioHTTP1,
                nioHTTP2, nioPosix, nioSSL, protobuf, unixSignals,
            ]),
        module(
            "GatewayService",
            [
                "Domain", "Wire", "DeviceAPI", "Messaging", "Telemetry", "ServiceKit", "Secrets", "Proofs", "CQREncode",
                "CZlib",
                hummingbird, hummingbirdCore, hummingbirdHTTP2, hummingbirdTLS, httpTypes, lifecycle, logging, mustache,
                nioCore,
                nioFoundation, nioHTTPTypes, nioPosix, nioSSL, protobuf, tracing,
            ], resources: [.embedInCode("Web")]),

        // The phone, as a library
        module("Authenticator", ["Domain", "Proofs", "DeviceAPI"]),
        module(
            "AuthenticatorHTTP",
            ["Authenticator", "DeviceAPI", asyncHTTPClient, nioCore, nioFoundation, nioHTTP1, nioPosix, nioSSL]),

        // The processes
        service("policy", ["PolicyService", "StoragePostgreSQL", "StorageSQLite"]),
        service("registration", ["RegistrationService", "Secrets", "StoragePostgreSQL", "StorageSQLite"]),
        service("challenge", ["ChallengeService", "StoragePostgreSQL", "StorageSQLite"]),
        service("verifier", ["VerifierService", "StoragePostgreSQL", "StorageSQLite"]),
        service("notifier", ["NotifierService", "StoragePostgreSQL", "StorageSQLite"]),
        service("gateway", ["GatewayService"]),

        // The commands
        module("OfflineCode", ["Domain", "Proofs"]),
        command("countersign-code", folder: "OfflineCodeCommand", ["OfflineCode", "Authenticator", "Proofs"]),
        command(
            "countersign-phone", folder: "Phone",
            ["Authenticator", "AuthenticatorHTTP", "DeviceAPI", "Proofs", "Domain", "CZBar", "CGD"]),
        command(
            "countersign-admin", folder: "Admin",
            [
                "DeviceAPI", "Domain", "Messaging", "Secrets", "Storage", "StoreCopy", "Wire", asyncHTTPClient, nioCore,
                nioFoundation, nioHTTP1, nioSSL,
            ]),

        module(
            "LoadTest",
            [
                "Authenticator", "AuthenticatorHTTP", "DeviceAPI", "Domain", "EventLoopTasks", "Proofs", "Secrets",
                "CZlib",
                asyncHTTPClient, nioCore, nioFoundation, nioHTTP1, nioPosix, nioSSL,
            ]),
        command("countersign-loadtest", folder: "LoadTestCommand", ["LoadTest", unixSignals]),

        // Not products
        module(
            "TestSupport",
            [
                "Domain", "Wire", "Messaging", "Storage", "StorageSQLite", "Proofs", "Secrets", "ServiceKit",
                "Telemetry", logging, protobuf,
            ]),
        module("StorageConformance", ["Domain", "Storage"]),
        module("PushDouble", [crypto, cryptoExtras, nioCore, nioHPACK, nioHTTP2, nioPosix, nioSSL]),
        command("countersign-push-double", folder: "PushDoubleCommand", ["PushDouble", crypto, cryptoExtras]),
        command(
            "countersign-push-load", folder: "PushLoad",
            [
                "NotifierService", "ServiceKit", "StorageSQLite", "Storage", "Messaging", "Telemetry", "Secrets",
                "Wire",
                "Domain", logging, protobuf,
            ]),
        command(
            "countersign-messaging-bench", folder: "MessagingBench",
            ["Messaging", "Wire", "Domain", "CZeroMQ", logging, protobuf]),
        tests("Domain", ["Domain"]),
        tests("Proofs", ["Proofs", "Domain", crypto]),
        tests("DeviceAPI", ["DeviceAPI", "Domain", "GatewayService", "TestSupport", "Wire"]),
        tests("Wire", ["Wire", "Domain", "TestSupport", protobuf]),
        tests("Secrets", ["Secrets", "Domain"]),
        tests("Messaging", ["Messaging", "Wire", "Domain", "TestSupport", "CZeroMQ", logging, protobuf]),
        tests("Telemetry", ["Telemetry", "Domain", logging, tracing]),
        tests(
            "StorageSQLite", ["Storage", "StorageSQLite", "StorageConformance", "Domain", "TestSupport", grdb, logging]),
        tests(
            "StoragePostgreSQL",
            [
                "Storage", "StoragePostgreSQL", "StorageSQLite", "StorageConformance", "StoreCopy", "Domain",
                "TestSupport",
            ]),
        tests(
            "ServiceKit",
            [
                "ServiceKit", "Messaging", "Wire", "Domain", "Telemetry", "Storage", "StorageSQLite", "Secrets",
                "TestSupport", configuration, lifecycle, logging, protobuf, tracing,
            ]),
        tests(
            "PolicyService",
            [
                lifecycle, "PolicyService", "Domain", "Wire", "Messaging", "Storage", "StorageSQLite", "ServiceKit",
                "Secrets", "Telemetry", "TestSupport", logging, protobuf,
            ]),
        tests(
            "RegistrationService",
            [
                lifecycle, "RegistrationService", "Domain", "Wire", "Messaging", "Storage", "StorageSQLite",
                "ServiceKit", "Secrets", "Proofs", "Telemetry", "TestSupport", logging, protobuf,
            ]),
        tests(
            "ChallengeService",
            [
                lifecycle, "ChallengeService", "Domain", "Wire", "Messaging", "Storage", "StorageSQLite", "ServiceKit",
                "Secrets", "Proofs", "Telemetry", "TestSupport", logging, protobuf,
            ]),
        tests(
            "VerifierService",
            [
                lifecycle, "VerifierService", "Domain", "Wire", "Messaging", "Storage", "StorageSQLite", "ServiceKit",
                "Secrets", "Proofs", "Telemetry", "TestSupport", logging, protobuf,
            ]),
        tests(
            "NotifierService",
            [
                lifecycle, "NotifierService", "Domain", "Wire", "Messaging", "Storage", "StorageSQLite", "ServiceKit",
                "Secrets", "Proofs", "PushDouble", "Telemetry", "TestSupport", crypto, cryptoExtras, logging, nioCore,
                nioEmbedded, nioHPACK, nioHTTP1, nioHTTP2, protobuf,
            ]),
        tests(
            "GatewayService",
            [
                lifecycle, asyncHTTPClient, nioCore, nioHTTP1, "GatewayService", "DeviceAPI", "Domain", "Wire",
                "Messaging", "ServiceKit", "Secrets", "Proofs", "Telemetry", "TestSupport", hummingbird, httpTypes,
                logging, protobuf,
            ]),
        tests(
            "LoadTest", ["LoadTest", "Authenticator", "DeviceAPI", "Domain", "Proofs", "PushDouble", nioCore, nioPosix]),
        tests(
            "Authenticator",
            ["Authenticator", "AuthenticatorHTTP", "Proofs", "DeviceAPI", "Domain", "OfflineCode", crypto]),
        tests(
            "Flow",
            [
                "PolicyService", "RegistrationService", "ChallengeService", "VerifierService", "NotifierService",
                "GatewayService",
                "Authenticator", "AuthenticatorHTTP", "DeviceAPI", "Domain", "Wire", "Messaging", "Storage",
                "StorageSQLite",
                "ServiceKit", "Secrets", "Proofs", "Telemetry", "TestSupport", asyncHTTPClient, logging, lifecycle,
                nioCore, protobuf,
            ]),
    ],
    swiftLanguageModes: [.v6]
)
