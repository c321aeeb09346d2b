%% OTP as a rival: speaks the line protocol of lib.rs, and has the names of rival_beamline, so that either calls the other.
-module(bench).
-behaviour(gen_server).
-export([main/1, echo/1]).
-export([init/1, handle_call/3, handle_cast/2]).

main([Role | Arguments]) ->
    spawn(fun() -> role(Role, Arguments) end).

role("serve", []) ->
    {ok, _} = gen_server:start({local, server}, ?MODULE, [], []),
    register(echo, spawn(fun echo_loop/0)),
    register(sink, spawn(fun() -> sink(0) end)),
    say("ready ~s", [node()]),
    lines(fun(_) -> say("failed: a server takes no commands", []) end);
role("client", [Address]) ->
    Node = list_to_atom(Address),
    true = net_kernel:connect_node(Node),
    say("ready", []),
    lines(fun(Line) -> obey(Node, string:lexemes(Line, " \n")) end);
role("mesh", []) ->
    say("ready ~s", [node()]),
    Names = string:lexemes(io:get_line(""), " \n"),
    Others = [list_to_atom(Name) || Name <- Names] -- [node()],
    Dialing = [spawn_monitor(fun() -> net_kernel:connect_node(Other) end) || Other <- Others],
    [receive {'DOWN', Monitor, process, _, _} -> ok end || {_, Monitor} <- Dialing],
    until_full(Others),
    say("full", []),
    global:sync(),
    say("synced", []),
    lines(fun(Line) -> names(string:lexemes(Line, " \n")) end).

%% Names are given one after the other, each to a process of its own; taking them away again is not counted.
names(["register", Count]) ->
    Start = now_ns(),
    Latencies = [registration({bench, Number}) || Number <- lists:seq(1, list_to_integer(Count))],
    report("calls", Latencies, now_ns() - Start);
names(["whereis", Count]) ->
    Pid = spawn(fun idle/0),
    yes = global:register_name(bench_looked_up, Pid),
    Start = now_ns(),
    look_up(list_to_integer(Count), Pid),
    say("calls ~s ~b 0 0", [Count, now_ns() - Start]),
    global:unregister_name(bench_looked_up),
    exit(Pid, kill).

registration(Name) ->
    Pid = spawn(fun idle/0),
    Start = now_ns(),
    yes = global:register_name(Name, Pid),
    Took = now_ns() - Start,
    global:unregister_name(Name),
    exit(Pid, kill),
    Took.

look_up(0, _) -> ok;
look_up(Left, Pid) ->
    Pid = global:whereis_name(bench_looked_up),
    look_up(Left - 1, Pid).

idle() -> receive never -> ok end.

until_full(Others) ->
    case Others -- nodes() of
        [] -> ok;
        Missing ->
            timer:sleep(5),
            [net_kernel:connect_node(Other) || Other <- Missing],
            until_full(Others)
    end.

lines(Take) ->
    case io:get_line("") of
        Line when is_list(Line) -> Take(Line), lines(Take);
        _ -> erlang:halt(0, [{flush, false}])
    end.

say(Format, Arguments) ->
    io:put_chars(io_lib:format(Format ++ "\n", Arguments)).

obey(Node, ["calls", Kind, Callers, Limit]) ->
    case call(list_to_atom(Kind), Node) of
        none -> say("failed OTP has no calls of the kind ~s", [Kind]);
        Call -> calls(Call, list_to_integer(Callers), limit(Limit))
    end;
obey(Node, ["oneway", Size, Limit]) ->
    one_way(Node, list_to_integer(Size), limit(Limit));
obey(Node, ["connect", Count, Pause]) ->
    {time, Between} = limit(Pause),
    connects(Node, list_to_integer(Count), Between div 1000000);
obey(_, Words) ->
    say("failed: I do not know ~p", [Words]).

%% The tag is the unit's last letter: ms or x.
limit(Text) ->
    case lists:reverse(Text) of
        "sm" ++ Digits -> {time, 1000000 * list_to_integer(lists:reverse(Digits))};
        "x" ++ Digits -> {count, list_to_integer(lists:reverse(Digits))}
    end.

reached({time, Time}, _, Elapsed) -> Elapsed >= Time;
reached({count, Most}, Count, _) -> Count >= Most.

share({count, Most}, Callers) -> {count, (Most + Callers - 1) div Callers};
share(Limit, _) -> Limit.

call(rpc, Node) -> fun() -> 42 = rpc:call(Node, bench, echo, [42]) end;
call(erpc, Node) -> fun() -> 42 = erpc:call(Node, bench, echo, [42]) end;
call(gen_server, Node) -> fun() -> 42 = gen_server:call({server, Node}, 42) end;
call(send, Node) -> fun() -> {echo, Node} ! {self(), 42}, receive 42 -> ok end end;
call(_, _) -> none.

calls(Call, Callers, Limit) ->
    Start = now_ns(),
    Share = share(Limit, Callers),
    Parent = self(),
    [spawn_link(fun() -> Parent ! {latencies, caller(Call, Share, Start, Start, 0, [])} end)
     || _ <- lists:seq(1, Callers)],
    Latencies = lists:append([receive {latencies, Some} -> Some end || _ <- lists:seq(1, Callers)]),
    report("calls", Latencies, now_ns() - Start).

caller(Call, Limit, Start, Before, Count, Latencies) ->
    case reached(Limit, Count, Before - Start) of
        true -> Latencies;
        false ->
            Call(),
            Now = now_ns(),
            caller(Call, Limit, Start, Now, Count + 1, [Now - Before | Latencies])
    end.

report(Word, Latencies, Elapsed) ->
    Sorted = list_to_tuple(lists:sort(Latencies)),
    At = fun(Share) -> element(1 + trunc((tuple_size(Sorted) - 1) * Share), Sorted) end,
    say("~s ~b ~b ~b ~b", [Word, tuple_size(Sorted), Elapsed, At(0.5), At(0.99)]).

one_way(Node, Size, Limit) ->
    Message = binary:copy(<<7>>, Size),
    Batch = if Size > 4096 -> 1; true -> 64 end,
    Start = now_ns(),
    Count = send_until(Node, Message, Batch, Limit, Start, 0),
    {sink, Node} ! {done, self()},
    receive
        Count -> say("oneway ~b ~b", [Count, now_ns() - Start]);
        Other -> say("failed ~p of ~b messages arrived", [Other, Count])
    after 60000 -> say("failed no answer of the sink", [])
    end.

send_until(Node, Message, Batch, Limit, Start, Count) ->
    case reached(Limit, Count, now_ns() - Start) of
        true -> Count;
        false ->
            send(Node, Message, Batch),
            send_until(Node, Message, Batch, Limit, Start, Count + Batch)
    end.

send(_, _, 0) -> ok;
send(Node, Message, Left) ->
    {sink, Node} ! Message,
    send(Node, Message, Left - 1).

connects(Node, Count, Pause) ->
    Start = now_ns(),
    Latencies = [connect(Node, Pause) || _ <- lists:seq(1, Count)],
    report("connect", Latencies, now_ns() - Start).

connect(Node, Pause) ->
    erlang:disconnect_node(Node),
    timer:sleep(Pause),
    Start = now_ns(),
    true = net_kernel:connect_node(Node),
    now_ns() - Start.

now_ns() -> erlang:monotonic_time(nanosecond).

echo(Value) -> Value.

echo_loop() ->
    receive {From, Value} -> From ! Value end,
    echo_loop().

sink(Count) ->
    receive
        Message when is_binary(Message) -> sink(Count + 1);
        {done, From} -> From ! Count, sink(0)
    end.

init([]) -> {ok, none}.
handle_call(Request, _From, State) -> {reply, Request, State}.
handle_cast(_Request, State) -> {noreply, State}.
