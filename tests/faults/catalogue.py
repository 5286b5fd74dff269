# ruff: noqa: E501 - one line says one thing
"""The list of faults: what goes wrong, what must follow, and the tests that show it.

A test is named by its file below `tests/` and its function; `*` stands for
anything. Tests written for one fault carry `@pytest.mark.fault(n)` themselves
and need no line here. `limit` says what one Linux machine cannot show: a fault
that has a limit and no test counts as not tested, never as passed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    number: int
    group: str
    what: str
    required: str
    tests: tuple[str, ...] = ()
    limit: str = ""


P, M, C, D, K, T, S = (
    "Processes",
    "Claude Code and the judge",
    "Size and content of what comes in",
    "Database and disk",
    "At the same time",
    "Terminal and screen",
    "Safety and settings",
)

FAULTS = (
    Fault(
        1, P, "Obra is killed at any instant",
        "Reopening takes at most 3 s, nothing acknowledged is lost, nothing is accepted twice",
        (
            "store/test_files.py::test_a_kill_while_writing_loses_nothing_that_was_acknowledged",
            "scenarios/test_interruptions.py::test_work_found_half_way_is_interrupted_and_can_be_taken_up_again",
        ),
    ),
    Fault(2, P, "Obra is killed while it recovers", "Recovering again comes to the same end"),
    Fault(
        3, P, "Obra is killed between moving the branch and recording it", "The acceptance is finished, not repeated",
        (
            "scenarios/test_interruptions.py::test_an_acceptance_found_half_way_is_finished_once",
            "evidence/test_acceptance.py::test_an_acceptance_that_was_cut_off_after_the_commit_is_found_again",
        ),
    ),
    Fault(
        4, P, "Claude Code is killed in the middle of a turn",
        "The attempt is not counted, the work is kept, the conversation goes on",
        (
            "agents/test_endings_e2e.py::test_a_killed_program_is_a_broken_transport_and_its_commands_die_too",
            "agents/test_endings_e2e.py::test_a_killed_conversation_is_resumed",
            "scenarios/test_interruptions.py::test_a_broken_transport_is_resumed_once_and_then_given_to_the_person",
        ),
    ),
    Fault(
        5, P, "Claude Code says nothing for minutes", "A warning, then an interruption, then its processes are killed",
        (
            "agents/test_endings_e2e.py::test_a_silent_api_makes_the_run_hung_after_a_warning",
            "agents/test_run_state.py::test_silence_is_measured_from_the_last_frame",
            "agents/test_misbehaviour.py::test_a_program_that_does_not_listen_is_hung",
        ),
    ),
    Fault(
        6, P, "The result comes but the program stays", "The result counts; the program is killed after a grace time",
        ("agents/test_misbehaviour.py::test_a_program_that_never_exits_is_killed_after_its_result",),
    ),
    Fault(
        7, P, "The program ends well without a result", "A broken transport, no success",
        ("agents/test_misbehaviour.py::test_an_end_without_a_result_is_no_success",),
    ),
    Fault(
        8, P, "The agent starts processes that leave its session", "None is left 2 s after the attempt",
        (
            "agents/test_stop_e2e.py::test_stop_leaves_no_process_in_any_state",
            "agents/test_stop_e2e.py::test_background_commands_die_with_a_finished_run",
            "agents/test_sweep.py::test_the_program_and_its_command_die_with_obra",
            "agents/test_sweep.py::test_commands_of_a_killed_obra_are_killed_at_the_next_start",
            "evidence/test_sandbox.py::test_no_process_is_left_whatever_it_did_to_stay",
            "evidence/test_sandbox.py::test_a_process_that_also_clears_its_environment_is_not_left_either",
        ),
        limit="Without a namespace (checks at the level none, and commands of Claude Code itself) a process is found by its "
        "descent, its group and a mark in its environment: one that leaves all three is not found.",
    ),
    Fault(
        9, P, "A process id is used again by a stranger", "The stranger is never killed",
        (
            "agents/test_sweep.py::test_a_process_has_a_name_that_no_later_one_can_have",
            "agents/test_sweep.py::test_processes_of_the_living_of_other_data_and_of_nobody_are_left_alone",
        ),
    ),
    Fault(
        10, P, "Claude Code is missing, not executable or unusable", "A sentence with path and fix; no loop of starts",
        (
            "agents/test_misbehaviour.py::test_a_program_that_cannot_be_run_is_named_with_the_fix",
            "agents/test_misbehaviour.py::test_a_file_that_is_no_program_is_told",
            "agents/test_probe.py::test_a_missing_program_is_a_problem_with_a_fix",
        ),
    ),
    Fault(11, P, "No more processes or files may be opened", "The run stops with a sentence; the work is kept"),
    Fault(
        12, P, "The kernel kills Claude Code or Obra for want of memory", "As faults 4 and 1, and named by the kernel's count",
        (
            "agents/test_endings_e2e.py::test_a_killed_program_is_a_broken_transport_and_its_commands_die_too",
            "store/test_files.py::test_a_kill_while_writing_loses_nothing_that_was_acknowledged",
        ),
    ),
    Fault(13, P, "Obra is stopped for long and goes on", "Nobody else became the owner meanwhile, or the old one cannot write"),
    Fault(14, P, "The computer sleeps for eight hours", "No storm of time-outs; a limit that is over is over"),
    Fault(
        15, P, "The clock of the wall jumps by a day", "Ownership, order and time limits are not touched",
        ("agents/test_sweep.py::test_a_process_has_a_name_that_no_later_one_can_have",),
    ),
    Fault(
        16, P, "Ctrl-C twice, TERM, HUP", "An orderly end; the second one forces; the terminal is as before",
        (
            "e2e/test_run.py::test_ctrl_c_stops_within_two_seconds_keeps_the_work_and_resume_goes_on",
            "agents/test_misbehaviour.py::test_the_terminals_ctrl_c_does_not_reach_the_program",
        ),
    ),
    Fault(
        17, M, "A usage limit inside a success", "Waiting until its end, going on alone, no attempt used",
        (
            "agents/test_endings_e2e.py::test_a_usage_limit_waits_until_its_reset_time",
            "agents/test_outcome.py::test_a_success_that_is_an_error_is_never_completed",
            "scenarios/test_interruptions.py::test_a_usage_limit_is_waited_for_and_goes_on_by_itself",
        ),
    ),
    Fault(
        18, M, "The login is missing or ran out", "One message with what to do; nothing else is started",
        (
            "agents/test_endings_e2e.py::test_without_any_login_the_outcome_is_auth_and_nothing_is_sent",
            "scenarios/test_interruptions.py::test_a_login_or_network_fault_costs_no_attempt_and_starts_nothing_else",
            "e2e/test_run.py::test_a_wrong_key_is_said_plainly_and_costs_no_attempt",
        ),
    ),
    Fault(
        19, M, "A success without any change", "Called empty, never accepted",
        (
            "agents/test_misbehaviour.py::test_a_success_without_a_turn_is_empty",
            "scenarios/test_gate_loop.py::test_a_claude_that_changes_nothing_is_never_accepted",
            "e2e/test_demo.py::test_a_claim_without_work_is_never_accepted",
        ),
    ),
    Fault(
        20, M, "A conversation cannot be resumed", "One fresh conversation with the whole task; the old id stays on record",
        (
            "agents/test_endings_e2e.py::test_an_unknown_conversation_cannot_be_resumed",
            "agents/test_endings_e2e.py::test_an_id_in_use_is_a_broken_conversation_too",
            "scenarios/test_interruptions.py::test_a_lost_conversation_is_begun_afresh_with_the_whole_task_once",
        ),
    ),
    Fault(
        21, M, "Frames of an unknown kind", "Kept raw, told once, otherwise ignored",
        (
            "agents/test_misbehaviour.py::test_unknown_frames_are_told_once_each_and_kept_raw",
            "agents/test_translate.py::test_an_unknown_frame_is_told_once_and_raw",
        ),
    ),
    Fault(
        22, M, "A question when nobody is there", "Denied and listed, never a hang",
        (
            "scenarios/test_interruptions.py::test_a_question_is_denied_at_once_when_nobody_is_there",
            "e2e/test_demo.py::test_a_command_outside_the_list_is_denied_when_nobody_is_there",
        ),
    ),
    Fault(
        23, M, "Cost, turns or time of a task are used up", "The run ends and the gate looks at what is there",
        ("agents/test_endings_e2e.py::test_the_*_limit_of_the_task_ends_the_run",),
    ),
    Fault(
        24, M, "The judge is not there", "Checks still run; unjudged, so a person decides; never a pass",
        (
            "judge/test_faults.py::test_fault_24*",
            "e2e/test_run.py::test_a_judge_that_is_down_leaves_the_decision_to_a_person_and_the_checks_count",
        ),
    ),
    Fault(25, M, "The judge never answers, or drips", "A deadline for the whole", ("judge/test_faults.py::test_fault_25*",)),
    Fault(
        26, M, "The judge's answer is garbage", "Strict reading, one repair, then unjudged",
        (
            "judge/test_faults.py::test_fault_26*",
            "judge/test_verdict.py::test_any_*_is_a_verdict_or_an_unusable_answer",
            "e2e/test_run.py::test_a_judge_that_answers_nonsense_is_no_judge",
        ),
    ),
    Fault(27, M, "The prompt was silently cut", "Noticed by counting; unjudged", ("judge/test_faults.py::test_fault_27*",)),
    Fault(
        28, M, "The model is missing, or another one answers", "Named; the verdict carries the digest",
        ("judge/test_faults.py::test_fault_28*", "judge/test_rehearsed.py::test_another_model_that_answers_is_named"),
    ),
    Fault(
        29, C, "A line without end", "Bounded memory; reading goes on after it",
        (
            "agents/test_transport.py::test_a_line_over_the_limit_is_left_out_and_the_next_one_is_read",
            "judge/test_faults.py::test_fault_26_an_endless_line_is_given_up",
            "widgets/test_model.py::test_an_endless_line_is_cut_with_a_note",
        ),
    ),
    Fault(
        30, C, "Broken UTF-8, NUL, lone surrogates, deep JSON, huge numbers", "An event at most; stored escaped",
        (
            "agents/test_any_frame.py::*",
            "agents/test_misbehaviour.py::test_lines_that_cannot_be_read_are_left_out",
            "store/test_projection.py::test_text_that_no_column_takes_is_shown_with_replacements",
            "evidence/test_checks.py::test_bytes_that_are_no_utf8_are_replaced_even_when_a_character_is_cut_by_a_read",
        ),
    ),
    Fault(
        31, C, "Ten thousand events a second", "The screen stays quick, memory bounded, everything is stored",
        (
            "ui/test_bridge.py::test_a_flood_is_cut_at_the_oldest_text_and_never_at_facts",
            "ui/test_bridge.py::test_many_pokes_are_one_run",
            "engine/test_outbox.py::test_a_burst_is_written_before_it_piles_up",
        ),
    ),
    Fault(
        32, C, "A huge diff, very many files, binaries", "Cut by bytes and files, marked as cut, never a pass alone",
        (
            "evidence/test_snapshot.py::test_a_large_patch_is_cut_but_its_digest_covers_all_of_it",
            "evidence/test_snapshot.py::test_more_changed_files_than_the_limit_truncate_the_list",
            "evidence/test_snapshot.py::test_a_flood_of_new_files_is_not_read_but_changed_ones_are",
            "evidence/test_snapshot.py::test_a_huge_file_is_left_out_and_said_so",
            "evidence/test_snapshot.py::test_a_binary_file_is_named_and_has_no_text",
            "core/test_gate.py::test_what_only_a_person_can_settle_is_asked_and_never_passes",
            "judge/test_chunks.py::test_a_diff_that_was_cut_is_not_judged",
        ),
    ),
    Fault(
        33, C, "Odd file names", "Read exactly, shown harmlessly",
        (
            "evidence/test_snapshot.py::test_an_odd_file_name_is_taken_listed_and_read_back",
            "evidence/test_snapshot.py::test_a_name_survives_being_shown",
            "evidence/test_patch.py::test_quoting_of_names_is_undone",
            "judge/test_chunks.py::test_a_name_cannot_break_out_of_its_line",
        ),
    ),
    Fault(34, C, "The prompt is larger than the context", "Refused before anything is sent", ("judge/test_faults.py::test_fault_34*",)),
    Fault(
        35, D, "The disk of the database is full", "Everything stops, what is recorded stays, it goes on without hands",
        ("store/test_files.py::test_a_full_disk_is_said_in_plain_words_and_loses_nothing_before_it",),
    ),
    Fault(
        36, D, "Only the disk of the copies is full", "That task stops with a sentence",
        (
            "evidence/test_copies.py::test_a_disk_that_refuses_is_an_error_with_advice",
            "scenarios/test_interruptions.py::test_a_copy_that_cannot_be_made_is_a_problem_with_its_words_and_nothing_is_lost",
        ),
    ),
    Fault(
        37, D, "The disk fails or becomes read-only", "Only reading from then on, with a sentence; nothing half-written",
        (
            "store/test_files.py::test_faults_are_put_into_plain_words",
            "scenarios/test_interruptions.py::test_a_journal_that_cannot_be_written_stops_the_work",
        ),
    ),
    Fault(
        38, D, "The database is damaged, foreign or empty", "Not overwritten; said where and what to do",
        ("store/test_files.py::test_a*refused*", "store/test_files.py::test_a_damaged_page_is_named_when_it_is_met",
         "store/test_files.py::test_a_truncated_file_is_never_read_as_if_it_were_whole"),
    ),
    Fault(
        39, D, "The database is newer than the program", "Refused with both versions",
        ("store/test_files.py::test_a_newer_database_is_refused_and_both_versions_are_named",),
    ),
    Fault(
        40, D, "Killed in the middle of a migration", "The next start completes it",
        (
            "store/test_migrations.py::test_a_kill_in_the_middle_of_a_migration_changes_nothing",
            "store/test_files.py::test_a_kill_while_the_database_is_made_leaves_no_half_of_one",
        ),
    ),
    Fault(
        41, D, "A long reader while much is written", "The writer is not held up; the side file stays bounded",
        (
            "store/test_files.py::test_a_reader_in_the_middle_of_its_work_does_not_hold_the_writer_up",
            "store/test_files.py::test_every_commit_reaches_the_disk_and_readers_never_checkpoint",
        ),
    ),
    Fault(
        42, D, "The power fails", "Every acknowledged step is there",
        ("store/test_files.py::test_every_commit_reaches_the_disk_and_readers_never_checkpoint",),
    ),
    Fault(
        43, D, "A SQLite with the known fault, or a network file system", "Named by doctor; a network disk is refused",
        ("store/test_owner.py::test_a_network_file_system_is_refused_by_name",),
    ),
    Fault(44, D, "The database server is away for a while", "Work stops, nothing is lost, it goes on without hands"),
    Fault(45, D, "The network between two owners is cut", "The old one and its agents end before the new one begins"),
    Fault(46, D, "Two transactions collide", "The whole one is done again with the same token"),
    Fault(
        47, K, "Two Obras on one data directory", "The second looks on or ends, and names the first",
        ("store/test_owner.py::test_the_second_one_is_told_who_is_first",),
    ),
    Fault(
        48, K, "Two people answer a gate at once", "One decision; the other is told",
        (
            "scenarios/test_gate_loop.py::test_two_answers_at_once_make_one_decision",
            "scenarios/test_gate_loop.py::test_the_second_answer_is_told_who_was_first",
            "contracts/test_journal.py::test_a_second_decision_on_a_gate_is_refused",
            "ui/test_review_screen.py::test_the_second_of_two_people_is_told_who_was_first",
        ),
    ),
    Fault(
        49, K, "An answer to content that has changed", "Refused",
        (
            "scenarios/test_gate_loop.py::test_a_decision_on_content_that_changed_since_is_refused",
            "ui/test_review_screen.py::test_a_stale_decision_is_refused_and_the_screen_loads_again",
        ),
    ),
    Fault(
        50, K, "The person moves the branch meanwhile", "Merged or given back; never overwritten",
        (
            "evidence/test_acceptance.py::test_many_acceptances_at_once_lose_nothing",
            "contracts/test_workspace.py::test_work_on_the_same_lines_is_refused_when_the_branch_has_moved",
            "scenarios/test_gate_loop.py::test_a_branch_that_moved_brings_the_gate_back_with_the_reason",
        ),
    ),
    Fault(
        51, K, "Two tasks change the same files", "The second is given back, without merge markers",
        (
            "evidence/test_acceptance.py::test_no_merge_markers_ever_reach_the_branch",
            "contracts/test_workspace.py::test_work_on_the_same_lines_is_refused_when_the_branch_has_moved",
        ),
    ),
    Fault(
        52, T, "Control sequences in any text", "None of them reaches the terminal",
        (
            "ui/test_hostile.py::test_no_text_of_anybody_else_reaches_the_terminal_raw",
            "ui/test_hostile.py::test_a_permission_prompt_cannot_be_spoofed_by_its_text",
            "widgets/test_text.py::test_every_hostile_sample_is_made_harmless",
            "widgets/test_text.py::test_the_line_filter_lets_nothing_harmful_through_and_keeps_the_width",
            "widgets/test_log_pane.py::test_no_text_raises_or_reaches_the_terminal_with_a_control_byte",
        ),
    ),
    Fault(
        53, T, "Markup in any text", "Shown as it is written",
        (
            "ui/test_hostile.py::test_markup_stays_what_it_is",
            "widgets/test_small_widgets.py::test_markup_in_any_text_is_literal",
            "widgets/test_diff_pane.py::test_hostile_names_and_texts_are_literal",
            "widgets/test_markdown.py::test_any_text_in_any_pieces_is_drawn_without_a_fault",
        ),
    ),
    Fault(54, T, "The screen's process dies of TERM, HUP, KILL or SEGV", "The terminal is usable again at once"),
    Fault(
        55, T, "Tiny, resized, colourless, dumb or no terminal", "No crash; plain lines where there is no terminal",
        (
            "widgets/test_log_pane.py::test_any_size_of_terminal_is_survived",
            "ui/test_app.py::test_no_size_of_the_terminal_breaks_a_screen",
        ),
    ),
    Fault(56, T, "A fault inside a screen", "A sentence and a private file without values; the work goes on or is kept",
        (
            "ui/test_app.py::test_a_broken_widget_takes_its_screen_and_not_the_app",
            "ui/test_app.py::test_a_screen_that_breaks_again_and_again_ends_with_a_sentence_and_without_values",
            "ui/test_app.py::test_a_worker_that_fails_is_told_and_not_swallowed",
        ),
    ),
    Fault(
        57, S, "A repository brings hooks, helpers and servers", "Not run; settings need trust by content",
        (
            "agents/test_permissions_e2e.py::test_hooks_settings_and_servers_of_the_repository_are_not_run",
            "test_config.py::test_a_project_needs_trust_for_what_weakens_its_own_supervision",
        ),
    ),
    Fault(
        58, S, "The agent plants git hooks, watchers, filters", "Obra's own git runs none of them",
        (
            "evidence/test_planted.py::test_the_traps_do_spring_for_plain_git",
            "evidence/test_planted.py::test_no_trap_springs_from_taking_a_diff_to_accepting_it",
            "evidence/test_planted.py::test_hooks_and_watchers_of_the_persons_repository_do_not_run_either",
        ),
    ),
    Fault(
        59, S, "Links, devices and pipes in the work tree", "Taken as text, skipped, never followed",
        ("evidence/test_snapshot.py::test_a_link*", "evidence/test_snapshot.py::test_a_fifo_is_skipped_with_a_note",
         "evidence/test_copies.py::test_discarding_removes_folders_that_nobody_may_enter_and_follows_no_link"),
    ),
    Fault(
        60, S, "A stale copy resolves to the repository around it", "Refused",
        (
            "evidence/test_planted.py::test_a_stale_copy_inside_another_repository_is_refused",
            "evidence/test_planted.py::test_a_copy_whose_git_*_is_refused",
        ),
    ),
    Fault(
        61, S, "The code tells the judge what to say", "Never a pass on the judge's word alone",
        ("judge/test_faults.py::test_fault_61*", "judge/test_injection.py::*"),
    ),
    Fault(
        62, S, "The agent changes tests, CI or Obra's settings", "A person decides",
        (
            "evidence/test_snapshot.py::test_existing_tests_ci_and_obras_settings_are_protected_and_new_tests_are_not",
            "scenarios/test_gate_loop.py::test_a_changed_protected_file_asks_the_person",
            "e2e/test_demo.py::test_a_weakened_test_never_passes_on_its_own",
        ),
    ),
    Fault(
        63, S, "A secret in output, environment, traceback, address", "In no database, export, log or crash file",
        (
            "store/test_redact.py::test_nothing_stored_holds_a_secret",
            "store/test_redact.py::test_a_secret_that_came_in_pieces_is_taken_out_when_it_is_whole",
            "agents/test_permissions_e2e.py::test_the_key_is_in_no_command_line",
            "test_config.py::test_secrets_are_never_shown",
        ),
    ),
    Fault(
        64, S, "Text made to make the redactor slow", "Bounded work",
        ("evidence/test_secrets.py::test_hostile_text_ends_in_bounded_work",
         "judge/test_injection.py::test_a_line_of_a_megabyte_is_looked_at_in_bounded_time"),
    ),
    Fault(65, S, "A web page talks to a local server of Obra's", "There is none to talk to"),
    Fault(
        66, S, "Others on the machine read the data", "Files 0600, folders 0700",
        (
            "store/test_files.py::test_nobody_else_can_read_the_files_whatever_the_umask",
            "store/test_owner.py::test_the_directory_and_the_lock_are_private",
            "evidence/test_copies.py::test_copies_and_repositories_are_for_the_owner_alone",
            "e2e/test_demo.py::test_all_files_are_private",
        ),
    ),
    Fault(
        67, S, "Wrong settings", "File, line and key are named",
        (
            "test_config.py::test_an_unknown_key_is_told_with_its_line_and_the_nearest_key",
            "test_config.py::test_a_wrong_file_is_told_with_its_place",
            "test_config.py::test_all_mistakes_are_told_at_once",
        ),
    ),
    Fault(68, S, "Obra runs as root", "A warning; permissions are not bypassed"),
)  # fmt: skip
"""All of them, in order."""
