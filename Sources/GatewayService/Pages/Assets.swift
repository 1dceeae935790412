/// All assets, by either of their names. A script's imports name the hashed names of what they import, so that a change of one module
/// changes the address of each that uses it.
struct Assets: Sendable {
    private let byName: [String: Asset]
    private let imports: [String: [String]]

    /// Throws for a file of an unknown kind and for scripts that import each other in a circle.
    init(_ files: [String: [UInt8]]) throws(WebContentError) {
        var building = Building(files: files)
        for name in files.keys.sorted() { _ = try building.asset(name) }
        byName = building.done
        imports = building.imports
        paths = byName.values.reduce(into: [:]) { paths, asset in
            guard let dot = asset.name.lastIndex(of: ".") else { return }
            paths[String(asset.name[..<dot]), default: [:]][String(asset.name[asset.name.index(after: dot)...])] =
                asset.path
        }
    }

    /// By the name in `Web/`; nil when there is none.
    subscript(name: String) -> Asset? { byName[name] }

    /// By the name of an address: `immutable` when it is the hashed one.
    func asked(_ name: String) -> (asset: Asset, immutable: Bool)? {
        if let asset = byName[name] { return (asset, false) }
        // `name.hash.ext`: the hash is between the last two dots.
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return nil }
        let plain = (parts.dropLast(2) + parts.suffix(1)).joined(separator: ".")
        guard let asset = byName[plain], asset.hashedName == name else { return nil }
        return (asset, true)
    }

    /// Every module that a script imports, directly or not, to be fetched at once with it.
    func modules(of script: String) -> [Asset] {
        var found: [String] = []
        var open = imports[script] ?? []
        while let next = open.popLast() {
            guard !found.contains(next) else { continue }
            found.append(next)
            open += imports[next] ?? []
        }
        return found.sorted().compactMap { byName[$0] }
    }

    /// Templates write `{{asset.sign-in.js}}`: a name and its kind.
    let paths: [String: [String: String]]
}

/// What has been hashed so far: an imported script first, because its hash is part of the importing one's text.
private struct Building {
    let files: [String: [UInt8]]
    var done: [String: Asset] = [:]
    var imports: [String: [String]] = [:]
    private var open: Set<String> = []

    init(files: [String: [UInt8]]) { self.files = files }

    mutating func asset(_ name: String) throws(WebContentError) -> Asset {
        if let asset = done[name] { return asset }
        guard open.insert(name).inserted else { throw WebContentError("\(name) imports itself") }
        var bytes = files[name] ?? []
        if name.hasSuffix(".js") || name.hasSuffix(".css") {
            bytes = Array(SourceComments.blanked(String(decoding: bytes, as: UTF8.self)).utf8)
        }
        if name.hasSuffix(".js") {
            var text = String(decoding: bytes, as: UTF8.self)
            for other in files.keys.sorted() where other.hasSuffix(".js") && text.contains("\"./\(other)\"") {
                text = text.replacing("\"./\(other)\"", with: "\"./\(try asset(other).hashedName)\"")
                imports[name, default: []].append(other)
            }
            bytes = Array(text.utf8)
        }
        guard let asset = Asset(name: name, bytes: bytes) else {
            throw WebContentError("\(name) is of a kind that pages do not load")
        }
        open.remove(name)
        done[name] = asset
        return asset
    }
}
