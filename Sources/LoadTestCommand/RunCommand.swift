import ArgumentParser
import Foundation
import LoadTest

/// One run against one gateway.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Make people with phones, push sign-ins, report, remove the people.",
        discussion: """
            Without --rate and --phase a closed loop: each of --people begins the next sign-in when the last has ended. With --rate an open \
            loop: sign-ins begin at their time, whatever has become of those before, and a latency counts from that time. --phase, several \
            times, makes a run of parts: 'ramp 10..200/s for 30s', 'soak 100/s for 2h', '32 people for 20s'.

            Each sign-in must come to what its phone intended, and each receipt must verify offline.

            --processes starts so many processes of this program, each with its part of the people and of the load.

            Without --demo and --credentials, the credentials are those of COUNTERSIGN_LOADTEST_CLIENT_ID, COUNTERSIGN_LOADTEST_CLIENT_SECRET \
            and COUNTERSIGN_LOADTEST_ADMIN_TOKEN in the environment, where one of them is set, or else of var/demo.json.

            Ctrl-C ends the run early: what was counted is reported and the people are removed.

            Exit codes: 0 done, 1 a sign-in did not come to what was intended or, without --fail-if, failed, 2 a --fail-if is so, 64 usage, \
            65 bad data, 66 no such file or others can read it, 69 the gateway cannot be reached or refuses the credentials, 70 one of \
            --processes was killed, 73 a file cannot be written, 75 another run uses the people of --keep, 77 the gateway does not allow \
            load tests, 130 interrupted, or one of --processes was.
            """)

    @OptionGroup var place: PlaceOptions
    @OptionGroup var load: LoadOptions

    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Write an HdrHistogram log with a histogram a second to this file.", valueName: "file"))
    var hdr: String?

    func validate() throws {
        if load.trivial, hdr != nil { throw ValidationError("--hdr is for sign-ins: without --trivial") }
        let phases = try load.phaseNames()
        for text in output.thresholds {
            guard let phase = try Threshold(text).phase, !phases.contains(phase) else { continue }
            throw ValidationError("'\(text)' names no phase of this run: \(phases.joined(separator: ", "))")
        }
    }

    func run() async throws {
        let target = try place.target()
        try output.checkPlaces()
        OpenFiles.raiseLimit()
        if let share = load.share {
            let (report, isInterrupted) = try await Interruption.watching {
                try await refusing(target) { try await Generator.run(try load.plan(target, share)) }
            }
            if let report { Generator.tell(.report(report)) }
            if isInterrupted { throw ExitCode.interrupted }
            return
        }
        let (report, isInterrupted) = try await Interruption.watching { try await push(target) }
        guard isInterrupted else {
            if let report { try output.finish(report) }
            return
        }
        // That it was interrupted is what its end says, whatever the part came to.
        if let report { try? output.finish(report) }
        throw ExitCode.interrupted
    }

    private func push(_ target: Target) async throws -> Report {
        try await refusing(target) {
            if load.trivial {
                return try await TrivialRun(target, loops: load.people, duration: .seconds(load.seconds)).run()
            }
            var observers: [any RunObserver] = [LiveView()]
            if let hdr { observers.append(try HistogramLogFile(hdr)) }
            let (plan, observer) = (try load.plan(target), Observers(all: observers))
            guard load.processes > 1 else { return try await LoadRun(plan, observer: observer).run() }
            return try await Generators.run(load.processes, plan, observer: observer)
        }
    }

    /// `work`, where what goes wrong ends the program with its code and a line that says so.
    private func refusing(_ target: Target, _ work: () async throws -> Report) async throws -> Report {
        do {
            return try await work()
        } catch let failure as Generators.Failure {
            FileHandle.standardError.write(Data(failure.words.utf8))
            throw failure.code
        } catch let error as ConsentMissing {
            throw failed(error.description, .notAllowed)
        } catch let error as PeopleInUse {
            throw failed(error.description, .inUse)
        } catch let error as ScenarioError {
            throw failed(error.description, .badData)
        } catch let fault as OutputFile.Fault {
            throw failed(fault.description, .cannotWrite)
        } catch {
            if Task.isCancelled { throw error }
            throw failed("\(target.base): \(error)", .unavailable)
        }
    }
}

/// Which gateway, which tenant, as whom.
struct PlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The credentials that `make run` wrote.", valueName: "file"))
    var demo: String?

    @Option(help: ArgumentHelp("The gateway's URL, e.g. https://id.example.org.", valueName: "url"))
    var gateway: String?

    @Option(help: ArgumentHelp("The tenant.", valueName: "name"))
    var tenant: String?

    @Option(
        help: ArgumentHelp(
            "A private JSON file with client.id, client.secret and admin.token of the tenant.", valueName: "file"))
    var credentials: String?

    @Option(
        help: ArgumentHelp("Certificate authorities to trust instead of the system's, a PEM file.", valueName: "file"))
    var caFile: String?

    func validate() throws {
        if demo != nil, credentials != nil { throw ValidationError("--demo and --credentials exclude each other") }
    }

    func target() throws -> Target {
        let environment = ProcessInfo.processInfo.environment
        var target = try refusing(.noInput) {
            if credentials == nil, demo == nil, Target.variables.contains(where: { environment[$0] != nil }) {
                return try Target(environment: environment, gateway: gateway, tenant: tenant)
            }
            return try Target(credentials: credentials ?? demo ?? "var/demo.json", gateway: gateway, tenant: tenant)
        }
        target.trustRootsFile = caFile
        return target
    }
}

/// How much, of what, for how long.
struct LoadOptions: ParsableArguments {
    private static let plainMix = "approve=1"
    private static let plainAnswerTime = "none"

    @Option(help: "How many people, each with a phone: the most sign-ins at the same time (1 to 10,000).")
    var people = 32

    @Option(help: "How long to push, in seconds (1 to 86,400).")
    var seconds = 20

    @Option(help: ArgumentHelp("Sign-ins a second that begin (0.01 to 100,000).", valueName: "rate"))
    var rate: Double?

    @Option(
        name: .customLong("phase"),
        help: ArgumentHelp(
            "A part of the run, e.g. 'ramp 10..200/s for 30s'. May be given several times.", valueName: "phase"))
    var phases: [String] = []

    @Option(
        help: ArgumentHelp(
            "What people do: shares of approve, decline, wrong-number, no-answer and code.", valueName: "shares"))
    var mix = LoadOptions.plainMix

    @Option(
        help: ArgumentHelp(
            "How long people take to answer: none, or the median of a log-normal time, e.g. 4s.", valueName: "time"))
    var answerTime = LoadOptions.plainAnswerTime

    @Option(
        help: ArgumentHelp(
            "How phones hear of requests: streams, or apns, fcm or webpush through the push double of --push-double.",
            valueName: "way"))
    var wake = "streams"

    @Option(
        help: ArgumentHelp(
            "The folder of a countersign-push-double on this machine, which the notifier sends to.",
            valueName: "folder"))
    var pushDouble: String?

    @Option(
        help: ArgumentHelp(
            "Leave the people, with their keys in this private file, for the next run: `remove` ends that.",
            valueName: "file"))
    var keep: String?

    @Option(help: "How many processes push together (1 to \(Share.countMax)).")
    var processes = 1

    /// What one of those processes does.
    @Option(help: .hidden)
    var share: Share?

    @Flag(help: "Push plain requests at the gateway's trivial route instead, with as many loops as people.")
    var trivial = false

    func validate() throws {
        guard (1...Phase.peopleMax).contains(people) else { throw ValidationError("--people takes 1 to 10,000") }
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds takes 1 to 86,400") }
        if let rate, !(0.01...100_000).contains(rate) { throw ValidationError("--rate takes 0.01 to 100,000") }
        if rate != nil, !phases.isEmpty { throw ValidationError("--rate and --phase exclude each other") }
        if trivial, rate != nil || !phases.isEmpty { throw ValidationError("--trivial is a closed loop") }
        if trivial, mix != Self.plainMix || answerTime != Self.plainAnswerTime {
            throw ValidationError("--trivial has no people: without --mix and --answer-time")
        }
        guard (1...Share.countMax).contains(processes) else {
            throw ValidationError("--processes takes 1 to \(Share.countMax)")
        }
        if trivial, processes > 1 { throw ValidationError("--trivial is one process") }
        if keep != nil, trivial || wake != Wake.streams.description {
            throw ValidationError("--keep is for phones with streams")
        }
        if processes > people { throw ValidationError("each of --processes needs one of --people") }
        _ = try way()
        let plan = try scenario()
        for case (.people(let count), let name) in plan.map({ ($0.load, $0.name) }) where count > people {
            throw ValidationError("phase '\(name)' has \(count) people, and --people is \(people)")
        }
        try refusing(.validationFailure) {
            _ = try Mix(mix)
            _ = try AnswerTime(answerTime)
        }
    }

    func phaseNames() throws -> [String] { trivial ? [TrivialRun.phaseName] : try scenario().map(\.name) }

    func plan(_ target: Target, _ share: Share = .whole) throws -> LoadRun.Plan {
        var plan = LoadRun.Plan(target: target, people: people, phases: try scenario())
        plan.mix = try Mix(mix)
        plan.answerTime = try AnswerTime(answerTime)
        plan.wake = try way()
        plan.keeping = keep
        plan.share = share
        return plan
    }

    private func way() throws -> Wake {
        if wake == Wake.streams.description {
            if pushDouble != nil { throw ValidationError("--push-double needs --wake apns, fcm or webpush") }
            return .streams
        }
        guard let provider = Wake.Provider(rawValue: wake) else {
            throw ValidationError("--wake takes streams, apns, fcm or webpush")
        }
        guard let pushDouble else { throw ValidationError("--wake \(wake) needs --push-double") }
        return .push(provider, folder: pushDouble)
    }

    private func scenario() throws -> [Phase] {
        guard phases.isEmpty else {
            return try refusing(.validationFailure) {
                try phases.enumerated().map { index, text in try Phase(text, index: index) }
            }
        }
        let load = rate.map { Phase.Load.rate(from: $0, to: $0) } ?? .people(people)
        return [Phase(name: rate == nil ? "closed" : "open", load: load, duration: .seconds(seconds))]
    }
}

extension Share: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
