%% Times OTP's own codec on demand: a line "encode FILE", "iovec FILE" or "decode FILE" is answered with nanoseconds.
-module(beamline_terms).
-export([main/0]).

main() ->
    case io:get_line("") of
        eof -> halt();
        Line ->
            [What, File] = string:split(string:trim(Line), " "),
            {ok, Bytes} = file:read_file(File),
            Self = self(),
            %% A process of its own, so that no run pays for another's garbage.
            Runner = spawn(fun() -> Self ! {self(), time(list_to_atom(What), Bytes)} end),
            receive {Runner, Time} -> io:format("~w~n", [Time]) end,
            main()
    end.

time(decode, Bytes) -> measure(fun(N) -> decode(N, Bytes, none) end);
time(encode, Bytes) -> Term = binary_to_term(Bytes), measure(fun(N) -> encode(N, Term, none) end);
time(iovec, Bytes) -> Term = binary_to_term(Bytes), measure(fun(N) -> iovec(N, Term, none) end).

%% The best of ten turns of a millisecond, since other processes take theirs in between.
measure(Run) ->
    Once = max(run(Run, 3) / 3, 20),
    Times = min(max(round(1_000_000 / Once), 1), 20_000),
    lists:min([run(Run, Times) / Times || _ <- lists:seq(1, 10)]).

run(Run, Times) ->
    Start = erlang:monotonic_time(nanosecond),
    Run(Times),
    erlang:monotonic_time(nanosecond) - Start.

%% Each result is handed on, or the compiler would leave out what nobody uses.
decode(0, _, Result) -> Result;
decode(N, Bytes, _) -> decode(N - 1, Bytes, binary_to_term(Bytes)).

encode(0, _, Result) -> Result;
encode(N, Term, _) -> encode(N - 1, Term, term_to_binary(Term)).

iovec(0, _, Result) -> Result;
iovec(N, Term, _) -> iovec(N - 1, Term, term_to_iovec(Term)).
