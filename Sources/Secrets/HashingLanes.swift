import Dispatch
import Synchronization

/// A few threads of their own with a bounded queue before them. Long computations here never hold the threads that run tasks.
final class HashingLanes: Sendable {
    typealias Work = @Sendable () throws(SecretsError) -> [UInt8]
    private typealias Reply = CheckedContinuation<Result<[UInt8], SecretsError>, Never>

    private struct Job {
        let id: UInt64
        let work: Work
        let reply: Reply
    }

    private struct State {
        var idle: [Int]
        var waiting: [Job] = []
        var lastID: UInt64 = 0
    }

    /// What becomes of a job that has just come.
    private enum Admission {
        case run(lane: Int)
        case wait
        case refuse
    }

    private let queues: [DispatchQueue]
    private let waitingMax: Int
    private let state: Mutex<State>

    init(count: Int, waitingMax: Int) {
        precondition(count > 0 && waitingMax >= 0, "hashing needs a thread")
        queues = (0..<count).map { DispatchQueue(label: "hashing.\($0)") }
        self.waitingMax = waitingMax
        state = Mutex(State(idle: Array(0..<count)))
    }

    /// Runs `work` as soon as a thread is free; throws `busy` when too many wait, and when the caller's task ends while it waits.
    func run(_ work: @escaping Work) async throws(SecretsError) -> [UInt8] {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (reply: Reply) in admit(Job(id: id, work: work, reply: reply)) }
        } onCancel: {
            withdraw(id)
        }
        return try result.get()
    }

    private func admit(_ job: Job) {
        let admission: Admission = state.withLock { state in
            if Task.isCancelled { return .refuse }
            if let lane = state.idle.popLast() { return .run(lane: lane) }
            guard state.waiting.count < waitingMax else { return .refuse }
            state.waiting.append(job)
            return .wait
        }
        switch admission {
        case .run(let lane): start(job, lane: lane)
        case .wait: break
        case .refuse: job.reply.resume(returning: .failure(.busy))
        }
    }

    private func start(_ job: Job, lane: Int) {
        queues[lane].async { [self] in
            let result = Result(catching: job.work)
            // The thread is free before the caller knows the result, so that whoever waits for one may count on the other.
            finish(lane: lane)
            job.reply.resume(returning: result)
        }
    }

    private func finish(lane: Int) {
        let next = state.withLock { state -> Job? in
            guard !state.waiting.isEmpty else {
                state.idle.append(lane)
                return nil
            }
            return state.waiting.removeFirst()
        }
        if let next { start(next, lane: lane) }
    }

    private func withdraw(_ id: UInt64) {
        let job = state.withLock { state -> Job? in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiting.remove(at: index)
        }
        job?.reply.resume(returning: .failure(.busy))
    }
}
