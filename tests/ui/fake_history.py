"""A history in memory: what it was given, and what it was asked."""

from obra_tui.core.errors import UnknownId
from obra_tui.core.ids import AttemptId, SessionId, TaskId
from obra_tui.core.lifecycle import State
from obra_tui.core.model import DecisionKind, Outcome, Policy, SessionKind, TaskSpec, Usage
from obra_tui.core.records.history import (
    AttemptDetail,
    AttemptSummary,
    Page,
    SearchHit,
    SearchResult,
    SessionDetail,
    SessionSummary,
    TaskSummary,
)
from obra_tui.core.records.metrics import DEFINITIONS, FOREVER, Metric, MetricsGroup, MetricsReport, wilson
from tests.ui import stories


class FakeHistory:
    def __init__(self, sessions=(), details=(), attempts=(), records=()) -> None:
        self._sessions = tuple(sessions)
        self._details = {detail.summary.id: detail for detail in details}
        self._attempts = {detail.summary.id: detail for detail in attempts}
        self._records = tuple(records)
        self.asked: list[tuple[object, ...]] = []

    def sessions(self, after=None, limit=50, *, project=""):
        self.asked.append(("sessions", project, after))
        return Page(rows=tuple(row for row in self._sessions if project in ("", row.project)))

    def find(self, query, after=None, limit=50):
        """Attempts of sessions that have the first word in their title or key."""
        self.asked.append(("find", query, after))
        word = query.words[0].text.lower() if query.words else ""
        rows = [
            SearchResult(
                at=attempt.summary.started_at,
                session=attempt.summary.session,
                session_title="Calculator",
                kind=SessionKind.MILESTONE,
                rehearsal="",
                attempt=attempt.summary,
                hit=self._hit(attempt.summary, word) if word else None,
            )
            for attempt in self._attempts.values()
            if word in f"{attempt.spec.title} {attempt.spec.prompt}".lower()
        ]
        return Page(rows=tuple(rows))

    def _hit(self, attempt, word):
        line = f"…and {word} it as it should be"
        return SearchHit(
            session=attempt.session,
            session_title="Calculator",
            task=attempt.task,
            task_title=attempt.task_title,
            attempt=attempt.id,
            seq=7,
            at=attempt.started_at,
            kind="prompt_sent",
            line=line,
            marks=((5, 5 + len(word)),),
        )

    def stop_finding(self):
        self.asked.append(("stop_finding",))

    def known_names(self):
        return {"model": ("qwen2.5-coder:32b",)}

    def measure(self, scope):
        """Ten days of which one had few cases and one none; all else is one group."""
        self.asked.append(("measure", scope))
        if scope.by == "day":
            names = [f"2026-03-{day:02}" for day in (*range(1, 7), 8, 9, 10)]
            groups = tuple(_group(name, 3 if name.endswith("-04") else 20, n / 10) for n, name in enumerate(names))
        else:
            groups = (_group("", 20, 0.5 if scope.until < FOREVER else 0.75),)
        return MetricsReport(scope=scope, groups=groups, threshold=0.7, sql={"pass_rate": "SELECT 1\nFROM scope"})

    def records(self, session, after=0, limit=500):
        return [r for r in self._records if r.session == session and r.seq > after][:limit]

    def session(self, session):
        self.asked.append(("session", session))
        if session not in self._details:
            raise UnknownId(f"There is no session {session}.", fix="Look at obra history.")
        return self._details[session]

    def attempt(self, attempt):
        self.asked.append(("attempt", attempt))
        return self._attempts[attempt]

    def attempt_records(self, attempt, after=0, limit=500):
        return [r for r in self._records if r.attempt == attempt and r.seq > after][:limit]

    @classmethod
    def sample(cls) -> "FakeHistory":
        story = stories.at_gate().decided(DecisionKind.APPROVE)
        sessions = (
            summary(stories.SESSION, "Calculator", story.at - 60, ((State.ACCEPTED, 1), (State.BLOCKED, 2)), score=0.9),
            summary("s2", "Stress test", story.at - 90_000, ((State.ACCEPTED, 10),), score=0.84, closed=True),
            summary(
                "s3",
                "Read a CSV file",
                story.at - 400_000,
                ((State.REJECTED, 1),),
                score=0.41,
                closed=True,
                rehearsal="csv",
            ),
        )
        attempt = attempt_summary(story)
        spec = TaskSpec(id=attempt.task, key="T001", title="Write a calculator", prompt="Write a calculator.")
        task = TaskSummary(
            id=attempt.task,
            session=stories.SESSION,
            key="T001",
            title="Write a calculator",
            position=1,
            state=State.ACCEPTED,
            reason="",
            changed_at=story.at,
            attempts=1,
            score=0.9,
            commit="abc1234def",
        )
        detail = SessionDetail(
            summary=sessions[0],
            branch="obra/s0000000session",
            base_commit="9be21f0c4a7d11",
            threshold=0.7,
            max_attempts=3,
            plan_source="tasks.md",
            close_reason="",
            versions=(),
            tasks=(task,),
            attempts=(attempt,),
        )
        opened = AttemptDetail(summary=attempt, spec=spec, diff=stories.DIFF, quality=stories.good_quality())
        return cls(sessions, (detail,), (opened,), story.records)


def summary(session, title, at, states, *, score=None, closed=False, rehearsal="") -> SessionSummary:
    return SessionSummary(
        id=SessionId(session),
        kind=SessionKind.MILESTONE,
        title=title,
        project="/home/ada/calc",
        policy=Policy.SUPERVISED,
        rehearsal=rehearsal,
        opened_at=at,
        closed_at=at + 900 if closed else None,
        states=states,
        attempts=sum(n for _, n in states),
        score=score,
        usage=Usage(cost_usd=0.42, turns=9),
    )


def attempt_summary(story) -> AttemptSummary:
    return AttemptSummary(
        id=AttemptId(story.attempt),
        session=stories.SESSION,
        task=TaskId(story.task),
        task_key="T001",
        task_title="Write a calculator",
        task_state=State.ACCEPTED,
        number=1,
        counted=0,
        started_at=stories.START,
        ended_at=stories.START + 192,
        outcome=Outcome.COMPLETED,
        detail="",
        score=0.9,
        passes=True,
        gate_decision=None,
        decision=DecisionKind.APPROVE,
        decided_by="person:ada",
        accepted=True,
        waiting=None,
        claude_model="claude-sonnet-4-5",
        judge_model="qwen2.5-coder:32b",
        usage=Usage(cost_usd=0.31),
    )


def _group(name, of, share):
    hits = round(of * share)
    return MetricsGroup(name=name, figures=tuple(_figure(definition, of, hits) for definition in DEFINITIONS))


def _figure(definition, of, hits):
    share = definition.unit == "share"
    return Metric(
        name=definition.name,
        title=definition.title,
        unit=definition.unit,
        value=hits / of if definition.unit in ("share", "score", "kappa") else hits * 12.5,
        of=of,
        hits=hits if share else None,
        interval=wilson(hits, of) if share else None,
    )
