//! The table of threats. docs/threats.md is made from it: `UPDATE_THREATS=1 cargo test -p end-to-end --test attacks
//! threats` rewrites the document. A row names the tests of this folder that play its attack, and others that test a
//! part of the defence.

mod document;
mod named;

/// An attack and what stands against it.
struct Threat {
    attack: &'static str,
    defence: &'static str,
    /// What an attacker may still do.
    left: &'static str,
    /// Tests of this target, `file::test`.
    played: &'static [&'static str],
    /// Tests elsewhere by their function's name, scenarios by their file's.
    besides: &'static [&'static str],
}

const THREATS: &[Threat] = &[
    Threat {
        attack: "A caller presents somebody else's number",
        defence: "The source address selects one trunk profile; P-Asserted-Identity and Remote-Party-ID count only \
                  where the profile trusts them, and headers that contradict each other refuse the call. A number that \
                  nobody screened is worth L1, which is not issued by default. Calls below the issuing level are \
                  refused before the answer and use nothing up. The level stands in the certificate, and L1 lives for \
                  seven days.",
        left: "High at L1, medium at L2: within a trunk that is believed, the carrier's word is all there is. A number \
               that has no key yet is the forger's at once, whose key then stops the owner's and lifts suspensions \
               until 45 days after the call: only the operator ends that, by revoking for a compromised key. Code and \
               read-back do not help: whoever forges the number hears both.",
        played: &[
            "spoofing::over_a_trunk_that_screens_nobody_it_is_refused_before_the_answer_and_costs_the_owner_nothing",
            "spoofing::an_identity_asserted_by_who_is_not_trusted_for_it_names_nobody",
            "spoofing::where_such_calls_are_taken_the_certificate_says_so_and_lives_for_seven_days",
        ],
        besides: &["nothing_is_believed_from_an_unknown_peer", "the_level_is_the_least_that_anything_allows"],
    },
    Threat {
        attack: "Somebody off the path sends in a trunk's name, with a forged source address",
        defence: "Nothing is said and no key counts before an ACK with our tag of 128 random bits, which went to the \
                  carrier. Requests within a call need both tags and the trunk's address. A newer call takes the \
                  line of one of its number that a datagram began and that has no ACK; eight such are all that a number \
                  has. What came over a connection, or with the trunk's account, gives way to none. Over TLS a trunk \
                  can be known by its certificate.",
        left: "Low. A flood of such INVITEs takes up the calls of that one trunk for half a minute. Two in a number's name \
               displace a call of it that has no ACK yet: less than one a second is enough where the answer waits for a \
               signed identity or the store. Eight that are answered keep the number out for half a minute.",
        played: &[
            "forged_source::\
             nothing_is_said_and_no_key_counts_before_an_ack_with_our_tag_and_guessed_requests_change_nothing",
            "forged_source::\
             two_calls_in_the_owners_name_that_are_never_acknowledged_do_not_keep_the_owner_out",
        ],
        besides: &[
            "sip-number-gives-way.txt",
            "sip-number-vouched-for.txt",
            "forged_invites_in_one_numbers_name_take_up_few_places",
            "sip-ack-with-a-wrong-tag.txt",
            "sip-forged-bye.txt",
            "sip-tls-forged-bye.txt",
            "sip-another-caller.txt",
            "sip-info-not-a-key.txt",
            "invites_that_are_never_acknowledged_take_up_their_trunk_for_half_a_minute_and_nothing_else",
        ],
    },
    Threat {
        attack: "Another customer of the same carrier calls our URI",
        defence: "A secret in the URI that only our carrier was given, or an account whose password each INVITE proves, \
                  and the number called. Without either, calls from shared addresses are worth L1. The carrier's certificate does not stand for one: the calls of \
                  all its customers come over it.",
        left: "Low, as long as the carrier keeps the URI to itself.",
        played: &[
            "other_customer::without_the_secret_of_the_uri_that_only_our_carrier_knows_it_is_refused",
            "other_customer::where_addresses_are_shared_and_there_is_no_secret_no_call_is_worth_more_than_l1",
        ],
        besides: &[
            "shared_addresses_need_a_secret",
            "without_the_trunks_account_nothing_is_kept",
            "sip-digest-wrong.txt",
            "sip-digest-repeated.txt",
            "a_certificate_tells_the_trunk_apart_and_not_its_customers",
        ],
    },
    Threat {
        attack: "Packets at every media port: foreign keys, foreign ears, false reports",
        defence: "RTP counts from the address of the offer or the trunk's media networks only, and once the port of \
                  the offer has spoken, from no other of its address. Ports are drawn at random and rest after a call. \
                  What is read out goes where the offer says. Reports count from the other side, about our random \
                  source number.",
        left: "Low. Who shares the caller's address and speaks first is taken for the caller; packets at many times \
               the rate of a port keep keys from being heard.",
        played: &["sprayed_rtp::foreign_keys_are_counted_and_not_heard_and_foreigners_hear_nothing"],
        besides: &[
            "keys_of_others_are_counted_and_not_heard",
            "packets_go_to_the_sdp_and_behind_nat_to_where_they_come_from",
            "only_reports_of_the_other_side_on_their_port_are_believed",
            "keys_of_a_second_source_never_count",
            "sip-info-beside-telephone-event.txt",
        ],
    },
    Threat {
        attack: "Media is forged, replayed or listened to on the path, by who does not read the signalling",
        defence: "SRTP where the carrier offers it, required where the profile says so: what is not authentic, or \
                  comes again, is counted and not heard, and what the voice says is encrypted, too.",
        left: "High where the carrier has no SRTP and the path is not the operator's own.",
        played: &["secured_media::\
             what_is_forged_changed_or_played_again_is_counted_and_not_heard_and_nobody_listens"],
        besides: &["only_what_is_authentic_counts_and_only_once", "sip-srtp-required.txt"],
    },
    Threat {
        attack: "A carrier signs A, or says so, for whoever calls",
        defence: "Its word raises nothing beyond its profile; B and C lower the call to L1, and a failed validation \
                  refuses it. Of several words, in the header that is believed or beside a number, the worst counts. A signature counts only if its certificate leads to an anchor that the operator configured, for the \
                  numbers of this country; \
                  record and audit name the provider, its origid and its certificate, and the operator can deny a \
                  provider's code.",
        left: "Medium: a screened profile is the operator's contract with the carrier, and no more than that; and a \
               provider that the anchors vouch for signs A for whom it likes, until it is revoked or denied.",
        played: &[
            "lying_carrier::its_word_earns_no_more_than_its_profile_and_a_doubt_costs",
            "lying_carrier::of_two_words_about_a_caller_the_worse_counts_wherever_they_stand",
            "lying_carrier::who_signs_for_whoever_calls_needs_an_anchor_is_named_afterwards_and_can_be_denied",
        ],
        besides: &[
            "only_the_words_of_the_trunks_dialect_raise_a_level",
            "another_root_is_no_anchor_even_if_it_has_the_name",
            "an_authority_answers_for_the_numbers_of_its_countries_only",
            "a_list_that_lacks_the_number_is_refused",
            "a_revoked_certificate_is_refused_and_so_is_an_old_list",
            "a_revoked_authority_that_is_an_anchor_is_refused",
            "no_code_between_hides_the_provider_above_who_is_denied",
        ],
    },
    Threat {
        attack: "A victim is talked into calling and keying in the attacker's code",
        defence: "The warning comes before the code and cannot be skipped; it is in the language of the number's country, \
                  whichever the attacker's page is in; a random digit confirms; the digits that \
                  the voice reads are wanted by the page, which the victim did not open. For an app the voice says a \
                  check of the key before them, and the app shows its own.",
        left: "Medium: a victim who also tells the digits has proved the number to the attacker's key, at once if it had \
               none, after a day if it had one. On a page there is nothing to compare. Whoever does not \
               understand the language of the number's country, or lives where no voice speaks theirs, is warned in \
               another.",
        played: &[
            "confused_victim::the_warning_comes_before_the_code_and_the_digits_are_heard_by_the_victim_alone",
            "confused_victim::an_app_hears_that_the_call_is_not_about_its_own_key",
        ],
        besides: &[
            "call-happy.txt",
            "call-early-keys.txt",
            "call-app-key-check.txt",
            "call-app-another-key.txt",
            "other_programs_find_the_same_digits",
            "an_apps_call_is_told_the_check_of_its_key",
            "a_number_is_spoken_to_in_the_language_of_its_country",
            "a_page_is_spoken_for_only_from_its_code_on",
            "sip-language-of-the-code.txt",
        ],
    },
    Threat {
        attack: "A phishing page stands between the visitor and the service",
        defence: "The voice says the service's name, the number's last digits and what going on allows, before it asks \
                  for the code.",
        left: "Medium on the web: a visitor who does not mind the name types everything into the wrong page. An app \
               that speaks to the service itself, over TLS, has nobody between.",
        played: &["phishing::the_voice_says_whose_service_it_is_and_what_for_before_it_asks_for_the_code"],
        besides: &[],
    },
    Threat {
        attack: "A link dials with tones, or malware does: the code and the digit come by themselves",
        defence: "Keys count only after the warning, and the digit that confirms is drawn then and counts only once it \
                  is spoken. The digits that are read reach the ear, not the page.",
        left: "Low: a digit that comes at the right moment is right one time in ten, and then the six digits are \
               missing.",
        played: &[
            "auto_dial::tones_that_come_by_themselves_confirm_nothing",
            "auto_dial::a_string_of_nines_suspends_nothing",
        ],
        besides: &["call-early-keys.txt", "call-wrong-confirm-digit.txt", "call-certified-dial-string.txt"],
    },
    Threat {
        attack: "The victim's line is forwarded to the service, or a call of it transferred",
        defence: "Diversion, a redirecting History-Info, Referred-By, Replaces, Join and a div PASSporT refuse the \
                  call. A trunk that is not known to keep Diversion is worth L1.",
        left: "Medium where a trunk is said to keep the header and does not: try it before you say so.",
        played: &[
            "forwarding::a_forwarded_or_transferred_call_is_refused_whatever_header_says_so",
            "forwarding::over_a_trunk_that_may_strip_the_header_no_call_is_worth_more_than_l1",
        ],
        besides: &["a_forwarded_or_transferred_call_is_nobodys"],
    },
    Threat {
        attack: "A signed identity is played again, belongs to a forwarded call, or points into the operator's network",
        defence: "A token is about one caller and one number called, and fresh for a minute both ways; it completes one \
                  verification. A div PASSporT refuses the call, and so do two of SHAKEN; attestations B and C lower it. \
                  What its x5u names is fetched over https only, from public addresses and the ports of certificates only, \
                  without redirects, 64 KiB and 3 s at most, and so many new places of one host, and fewer of it for one number; \
                  nothing at all is fetched for a token that is refused anyway, nor for a call that a good one would not lift. What \
                  strangers have us remember is forgotten before any signer. \
                  Without anchors nothing is verified, and no signature raises a level.",
        left: "Low: whoever hears a token may use it within its minute for a call of the same number, if that call comes \
               first, and for calls that prove nothing as long as none has proved anything: such a call can ask for a \
               suspension. The server of a certificate learns when it is fetched. Whoever can call with a forged number keeps \
               it out, three calls a minute that point at the host of its provider, until the provider's place is known.",
        played: &[
            "passport::one_that_is_right_completes_one_verification_however_often_and_at_once_it_is_played",
            "passport::one_played_twice_raises_nothing_and_nobody_knocks_where_it_points",
            "passport::one_of_a_forwarded_call_or_of_a_doubting_carrier_is_refused",
            "passport::where_they_are_verified_a_bad_one_is_refused_and_nobody_knocks_inside",
            "passport::at_the_port_of_certificates_nobody_knocks_inside_either",
        ],
        besides: &[
            "a_private_address_is_not_connected_to_by_name_or_by_number",
            "a_name_that_changes_its_answer_leads_nowhere_else",
            "a_redirect_is_not_followed",
            "what_is_oversized_or_not_there_is_given_up",
            "whatever_is_slow_is_waited_for_three_seconds_in_all",
            "no_other_port_than_those_of_certificates_is_connected_to",
            "who_points_at_many_places_has_few_of_them_looked_at_and_spends_nobody_elses_looks",
            "what_strangers_write_is_forgotten_before_any_signer_and_keeps_nobody_out",
            "a_signer_has_few_places_of_its_own_however_many_it_signs_and_spellings_are_one_place",
            "the_list_of_an_administrator_who_is_passed_over_has_all_refused",
            "a_signature_is_r_and_s_within_the_curves_order_and_nothing_else",
            "the_other_signature_that_anybody_can_make_is_over_the_same_token",
            "a_leaf_issues_nothing_whatever_its_key_may_do",
            "a_signed_identity_completes_one_verification",
            "sip-signed-and-bad.txt",
            "sip-signed-twice.txt",
            "sip-signed-in-vain.txt",
            "an_issuer_that_is_limited_issues_nothing_beyond",
            "whose_certificate_is_only_pointed_at_is_not_said_to_have_signed",
            "who_was_good_is_so_while_nothing_can_be_had_there_and_no_longer_once_its_place_may_not_be_asked",
            "other_anchors_and_lists_count_at_once_and_nothing_is_fetched_for_it",
        ],
    },
    Threat {
        attack: "Somebody has the service post where they like, or is told of a number that is none of theirs",
        defence: "Where events go, operators alone say, by the command line. Only https, only addresses that are public when they \
                  are connected to, no redirects, no proxy. A verification is told whole to the endpoint that its starter named, \
                  whose name has 128 random bits; who hears of all gets a masked number, and neither result nor certificate. \
                  Events are signed, each attempt with its time. URLs, secrets and events are stored encrypted, and go with the \
                  verification.",
        left: "Low: whoever learns an endpoint's name sends it events of verifications of their own, so a receiver must know \
               what it began. Whoever steals its secret forges events to that receiver, but not the signed result in them. The \
               receiver learns the numbers of those whom it had verified.",
        played: &[
            "webhooks::a_stranger_says_nowhere_where_to_post_and_an_operator_not_inside",
            "webhooks::whom_a_verification_does_not_name_is_not_told_of_it",
        ],
        besides: &[
            "an_address_inside_is_not_posted_to",
            "a_receiver_that_redirects_is_not_followed",
            "a_name_that_changes_its_answer_leads_nowhere_else",
            "an_operator_adds_replays_and_rotates_and_nothing_inside_is_posted_to",
            "who_hears_of_all_is_told_no_number_unless_it_is_named",
            "who_is_named_hears_what_the_owner_sees_once_and_signed",
            "one_that_hangs_holds_up_no_other",
            "what_a_stranger_begins_and_leaves_is_told_to_nobody",
            "a_stolen_database_tells_no_url_no_secret_and_no_number",
            "an_event_goes_with_its_verification_and_keeps_it_until_it_is_out",
        ],
    },
    Threat {
        attack: "Who holds the session guesses the digits that were read",
        defence: "Three posts, counted in the statement that compares; the third voids the verification, never the \
                  number. One proof makes one certificate, however often it is posted.",
        left: "3 in 1,000,000.",
        played: &[
            "read_backs::of_twenty_guesses_at_once_three_are_compared_and_the_number_is_none_the_worse",
            "read_backs::the_right_digits_twenty_times_at_once_make_one_certificate",
        ],
        besides: &[
            "of_twenty_wrong_read_backs_at_once_the_third_voids",
            "twenty_right_read_backs_at_once_issue_one_certificate",
        ],
    },
    Threat {
        attack: "Who can call as the victim guesses the code of the victim's session",
        defence: "Three tries a call, six a session, ten a day of the number, counted in the statement that compares.",
        left: "10 in 1,000,000 a day for each session that waits; and then the digits are read to who called.",
        played: &["codes::ten_wrong_codes_a_day_are_compared_whatever_sessions_begin_meanwhile"],
        besides: &["of_thirty_wrong_codes_at_once_ten_are_compared_a_day"],
    },
    Threat {
        attack: "A line that many call from: payphone, cell block, switchboard, service number",
        defence: "What a header says of the line (cpc, isup-oli, ext, isub) and the kind of number refuse the call.",
        left: "Medium: most switchboards and many payphones say nothing of themselves.",
        played: &["shared_line::calls_from_lines_that_are_nobodys_own_are_refused"],
        besides: &["only_lines_that_a_person_answers_may_be_proved"],
    },
    Threat {
        attack: "The number changes hands: a swapped SIM, a recycled number, a certificate revoked to begin anew",
        defence: "If another key was certified for the number in the last 45 days, whatever became of it, a new one \
                  waits for a day and is shown beside the valid record. Meanwhile a call from the number or the old \
                  key stops it; the old key also lets its successor follow at once. A certificate lives for 30 days, \
                  and no renewal goes beyond 45 days after the call: less than a number rests before it is given to \
                  somebody else.",
        left: "Medium: whoever has the SIM for a day, unseen, has the number.",
        played: &[
            "sim_swap::a_new_key_waits_beside_the_old_ones_certificate_and_none_lives_longer_than_thirty_days",
            "sim_swap::who_suspends_the_old_certificate_first_waits_all_the_same",
        ],
        besides: &[
            "another_key_waits_beside_the_valid_record_and_then_follows_it",
            "a_key_that_was_revoked_or_has_expired_holds_others_back_as_well",
            "nine_stops_a_key_that_waits",
            "the_old_key_stops_a_key_that_waits",
            "only_the_key_of_the_last_certificate_speaks",
            "a_key_renews_its_certificate_at_the_same_level_and_not_beyond_the_call",
        ],
    },
    Threat {
        attack: "Whoever can call from the number suspends its certificates, again and again, or keeps their owner from it",
        defence: "Once a day and number, with a budget of its own; only what is worth no more than the call; the key \
                  lifts it at once, and it is final after a day only. Calls that end for nothing use up the number's keying in, \
                  but it is told of its certificates, and suspends them, up to ten times as often, and then once in a \
                  quarter of an hour, at each level apart.",
        left: "Low: a lost key cannot lift it, and then it should be suspended. Who can call at the owner's level, all day and \
               without a pause, keeps the owner from suspending by a call: then the operator revokes.",
        played: &["call_flood::who_uses_up_a_numbers_calls_has_to_go_on_all_day_to_keep_its_owner_from_suspending"],
        besides: &[
            "nine_works_once_a_day",
            "who_uses_up_a_numbers_calls_does_not_keep_its_owner_from_suspending",
            "what_a_call_of_a_higher_level_proved_stays",
            "call-certified-suspends.txt",
        ],
    },
    Threat {
        attack: "Visitors flood a number with verifications, lock its owner out, or watch what the owner does",
        defence: "Three of a number from one network, fifty in all, and then the largest source loses its oldest, of \
                  equal ones that of the provider (/16, /32) with most; \
                  posts of a source are limited, and while too many begin, from one network or from everywhere, or ten of a \
                  number wait, each start costs work that is bound to its number. Only calls that bear the number at the issuing level use tries up. A \
                  page hears of the call that keyed in its own code; of refused calls of its number it learns one \
                  sentence, without time or trunk.",
        left: "Low: who has networks of as many providers as a number may have verifications, or many of the owner's own \
               provider, and works for each start, ends the owner's before it is dialled, as long as that goes on. Who has \
               many networks makes work, which a browser without scripts cannot do, and learns that a call of the number was \
               refused, and whether many wait for it.",
        played: &[
            "sessions::a_flood_of_them_ends_the_floods_own_and_the_owner_still_gets_in",
            "sessions::who_has_many_networks_works_for_each_start_and_keeps_no_owner_out",
            "sessions::a_visitor_locks_nobody_out",
            "sessions::who_watches_a_number_learns_nothing_of_its_owners_call",
        ],
        besides: &[
            "of_a_crowd_the_largest_source_loses_its_oldest",
            "of_many_networks_with_as_many_those_of_one_provider_lose_theirs",
            "of_a_number_that_many_wait_for_one_more_is_worked_for_wherever_it_comes_from",
            "a_source_that_posts_too_much_waits_and_is_let_in_again",
            "it_is_asked_for_while_a_network_or_all_begin_too_many",
            "work_is_taken_once_in_its_time_and_for_its_number",
        ],
    },
    Threat {
        attack: "Calls by the hundred; answered calls to a number for which the called side pays",
        defence: "Who is not waited for is refused before the answer. Limits of a number, a trunk, a second and the \
                  node; of a trunk's calls without an ACK. Twenty calls of a number a day are answered and end without \
                  a right code; only calls that bear it at the issuing level, and whose source is known, count.",
        left: "Medium where the service's number is toll-free: who began verifications, and keys in their codes, may \
               call again and again, three minutes each.",
        played: &[
            "call_flood::calls_for_nobody_are_refused_before_the_answer_and_take_up_nobody_elses_lines",
            "call_flood::a_number_has_two_calls_at_a_time",
            "call_flood::who_calls_for_nothing_is_answered_a_few_times_a_day_and_locks_nobody_else_out",
        ],
        besides: &[
            "a_number_whose_calls_end_for_nothing_is_answered_no_more_today",
            "only_a_call_that_was_answered_for_nothing_is_counted_for_its_number",
            "sip-calls-used-up.txt",
            "invites_for_nobody_are_refused_without_filling_anything",
            "sip-trunk-rate.txt",
            "sip-number-busy.txt",
        ],
    },
    Threat {
        attack: "Strangers, garbage, packets and connections without end",
        defence: "Every queue and map that a stranger can fill has a bound; media has threads of its own. \
                  [hostility.md](hostility.md) says what was measured.",
        left: "Low: a flood fills the socket, and honest calls take a second longer.",
        played: &["without_end::what_is_no_call_is_counted_takes_up_nothing_and_keeps_nobody_out"],
        besides: &[
            "strangers_get_one_short_answer_each_and_take_up_nothing",
            "garbage_is_counted_and_dropped",
            "packets_from_elsewhere_are_counted_and_nobody_hears_less_for_them",
            "connections_that_never_come_to_an_end_are_ended_and_leave_room_for_others",
        ],
    },
    Threat {
        attack: "An insider looks at numbers, and covers the tracks",
        defence: "Lists show the last four digits; who reveals a number gives a reason, and both stand in the audit. \
                  Its rows are chained: `dialproof audit verify` finds a row that was changed or taken out, and who \
                  chains all of them anew is found out by a head that `dialproof audit head` signed before and \
                  somebody else keeps.",
        left: "Medium: what is not in the audit (call records, verifications) is not chained, and heads help only if \
               somebody keeps them.",
        played: &["insider::who_looks_stands_in_the_audit_and_who_changes_the_audit_is_found_out"],
        besides: &["an_audit_row_that_is_changed_breaks_the_chain"],
    },
    Threat {
        attack: "The database is stolen, or a backup of it",
        defence: "Numbers are HMACs and ciphertexts, codes and digits HMACs, secrets hashes; the keys are in another \
                  file.",
        left: "Low without the key file; with it, everything can be read.",
        played: &["stolen_database::its_files_tell_no_number_no_code_and_no_digits_that_were_read"],
        besides: &["a_stolen_database_tells_no_number_and_no_code"],
    },
    Threat {
        attack: "What the sandbox says, where no telephone is, is taken for a proof",
        defence: "The sandbox has an authority of its own, which is made anew with each process and is in no bundle; \
                  it takes test numbers only, stores and publishes nothing, and says in every answer what it is. Its \
                  files may not name a proof, the rows or the service's authority. A call over a trunk of the sandbox \
                  asks the sandbox alone, and the maker of a proof refuses it.",
        left: "Low: who checks no signature believes anything. Whoever may call over the trunk, in whatever name, sees \
               rehearsals of that name; they are nobody's.",
        played: &[
            "sandbox::what_is_rehearsed_proves_nothing_to_anybody",
            "sandbox::a_call_over_the_sandboxs_trunk_walks_the_whole_way_and_proves_nothing",
            "sandbox::over_the_sandboxs_trunk_no_real_session_is_opened_counted_or_told",
            "sandbox::over_the_sandboxs_trunk_a_nine_suspends_what_was_rehearsed_and_no_certificate",
        ],
        besides: &[
            "a_call_of_the_sandbox_proves_nothing",
            "call-rehearsed.txt",
            "who_may_call_the_sandbox_from_anywhere_takes_no_carriers_address",
            "nobody_is_told_a_number_behind_which_the_other_realm_lies",
            "an_app_rehearses_a_verification_and_nothing_of_it_reaches_the_service",
            "a_result_of_the_sandbox_is_not_one_of_the_service",
            "nobody_fills_it_and_the_oldest_goes",
            "every_word_is_in_its_place",
        ],
    },
    Threat {
        attack: "The directory is harvested",
        defence: "A record only with its owner's consent; where it lies and what opens it comes from a slow hash of \
                  the number (64 MiB, three passes), and its content is sealed.",
        left: "Who guesses a number can see whether it has a record: some ten million guesses a month and core.",
        played: &["harvesting::\
             a_record_is_found_by_who_guesses_the_number_at_a_price_and_of_who_wants_none_there_is_none"],
        besides: &[],
    },
];
