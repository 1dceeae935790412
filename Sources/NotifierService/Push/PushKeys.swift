package import Secrets
package import ServiceKit

/// The keys of the notifier's configuration that are about push.
package enum PushKeys {
    package static let folder = Setting.path(
        "notifier.push.folder", default: "var/push",
        help:
            "Folder of the accounts at push providers: {tenant}.json and default.json, mode 0600. Read at the start and at SIGHUP."
    )
    package static let keys = Setting.choice(
        "notifier.push.keys", default: "any", of: ["any", "sealed"],
        help: "Whether the accounts' keys may lie there in clear, or only as countersign-admin push seal writes them.")
    package static let trustRoots = Setting.text(
        "notifier.push.trustRoots", default: "", accepts: "a path, or nothing for the system's",
        isAccepted: { !$0.contains("\0") },
        help: "A PEM file of the certificate authorities that providers are trusted by.")
    package static let webPushHosts = Setting.list(
        "notifier.push.webPushHosts", default: WebPushTargets.browsers,
        accepts: "names of hosts, or *. and the end of names",
        help:
            "The push services that phones may name; *. stands for one name or more in front. A UnifiedPush server must be added."
    ) { WebPushOrigin.isHost(($0.hasPrefix("*.") ? String($0.dropFirst(2)) : $0).lowercased()) ? $0 : nil }
    package static let webPushBlocks = Setting.list(
        "notifier.push.webPushBlocks", accepts: "blocks of addresses, as in 10.1.0.0/16",
        help: "Addresses that push services may have although they are not the internet's."
    ) { AddressBlock($0) }

    package static let all = [folder.key, keys.key, trustRoots.key, webPushHosts.key, webPushBlocks.key]
}

extension PushDirectory {
    package convenience init(_ process: ServiceProcess, _ sealer: Sealer) {
        var provider = ProviderSettings(now: process.now)
        provider.breakers = BreakerCount(process.metrics)
        let roots = process.settings[PushKeys.trustRoots]
        if !roots.isEmpty { provider.trustRootsFile = roots }
        self.init(
            folder: process.settings[PushKeys.folder], sealer: sealer,
            requiresSealedKeys: process.settings[PushKeys.keys] == "sealed", provider: provider,
            targets: WebPushTargets(
                hosts: process.settings[PushKeys.webPushHosts],
                allowedBlocks: process.settings[PushKeys.webPushBlocks]))
    }
}
