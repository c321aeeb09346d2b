#!/usr/bin/env escript
%% Writes what this Erlang makes of terms of every kind: one line a term, `name TAB bytes TAB canonical TAB text`.
%% `bytes` are what term_to_binary gave (or, for forms that are only read, what was fed to binary_to_term), `canonical`
%% what term_to_binary gives for the same term with the options of OTP 26 and later, or `=` for the same bytes, `text`
%% what ~w prints where that is short.
%%   escript generate.escript > otp25.txt

-mode(compile).

main(_) ->
    ok = io:setopts([{encoding, unicode}]),
    [line(Name, term_to_binary(Term), Term) || {Name, Term} <- terms()],
    [line(Name, term_to_binary(Term, Options), Term) || {Name, Term, Options} <- with_options()],
    Sorted = term_to_binary(large_map(), [deterministic]),
    io:format("deterministic\t~s\t=\t~n", [hex(Sorted)]),
    [read(Name, Bytes) || {Name, Bytes} <- only_read()],
    refused().

line(Name, Bytes, Term) ->
    Canonical = term_to_binary(Term, [{minor_version, 2}]),
    Column = case Canonical of Bytes -> "="; _ -> hex(Canonical) end,
    io:format("~s\t~s\t~s\t~ts~n", [Name, hex(Bytes), Column, text(Term)]).

read(Name, Bytes) ->
    try line(Name, Bytes, binary_to_term(Bytes)) catch error:badarg -> io:format("~s\t~s\trefused\t~n", [Name, hex(Bytes)]) end.

%% Local identifiers and funs are printed in a way that only their own node understands.
text(Map) when map_size(Map) > 32 -> ""; % in the order of hashes
text(Term) ->
    Text = lists:flatten(io_lib:format("~tw", [Term])),
    case re:run(Text, "<[0-9]+[.]|#Ref|#Port|#Fun|fun ", [unicode]) of nomatch when length(Text) < 1000 -> Text; _ -> "" end.

hex(Bytes) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Bytes].

terms() ->
    X = 3,
    [{integer, I} || I <- [0, 1, 255, 256, -1, -128, 65535, 2147483647, -2147483648]] ++
    [{big, I} || I <- [2147483648, -2147483649, 1 bsl 62, (1 bsl 63) - 1, -(1 bsl 63), 1 bsl 63, 1 bsl 64, -(1 bsl 64),
                       (1 bsl 2040) - 1, 1 bsl 2040, -(1 bsl 2100) + 12345]] ++
    [{float, F} || F <- [0.0, -0.0, 1.0, -1.5, 0.1, 1.0e10, 1.0e22, 1.0e-5, 1.7976931348623157e308, 5.0e-324, 123456789.125,
                         100000.0, 1.0e15, 1.0e16, 123456789012345680.0, 0.001, 0.0001, 2.5e-8]] ++
    [{atom, A} || A <- [ok, true, nil, undefined, '', 'Elixir.AppB', 'app_a@127.0.0.1', 'nonode@nohost', 'with space',
                        'it\'s', 'back\\slash', 'ünï', 'ÿ', 'Ω', '日本', 'new\nline', 'Upper', '_x', 'a@b', 'end', 'fun',
                        list_to_atom(lists:duplicate(255, $a)), list_to_atom(lists:duplicate(255, 16#65e5))]] ++
    [{binary, B} || B <- [<<>>, <<"abc">>, <<0, 1, 2, 255>>, <<"é"/utf8>>, binary:copy(<<7>>, 300)]] ++
    [{bits, B} || B <- [<<1:1>>, <<5:3>>, <<255, 1:7>>, <<1, 2, 3:4>>]] ++
    [{tuple, T} || T <- [{}, {1}, {ok, 42, <<"abc">>}, {{}, {{}}}, list_to_tuple(lists:seq(1, 255)),
                         list_to_tuple(lists:seq(1, 256))]] ++
    [{list, L} || L <- [[], [1, 2, 3], "abc", [0], [255], [256], [1, 2, 300], [a, b], [[]], [[[]], []], [[1, 2], [3]],
                        lists:duplicate(1000, 65), [{a, 1}, {b, 2}], [-1, 0], [1.0]]] ++
    [{improper, L} || L <- [[a | b], [1, 2 | 3], [[a | b] | c], [x | <<"tail">>]]] ++
    [{map, M} || M <- [#{}, #{a => 1}, #{1 => a, 1.0 => b}, #{"k" => #{}}, #{<<"a">> => 1, b => 2, {c} => 3, [d] => 4},
                       maps:from_list([{I, I * I} || I <- lists:seq(1, 32)])]] ++
    [{big_map, maps:from_list([{I, {I}} || I <- lists:seq(1, 100)])}] ++
    [{pid, self()}, {reference, make_ref()}, {alias, alias()}, {port, hd(erlang:ports())},
     {export, fun lists:map/2}, {export, fun 'Elixir.A':'b?'/0}, {fun_, fun(Y) -> X + Y end}, {fun_, fun() -> ok end},
     {fun_, fun(Y, Z) -> {[X, Y | Z], fun() -> {X, #{Y => Z}} end} end}] ++
    [{mixed, {'$gen_call', {self(), [alias | make_ref()]}, {get, <<"key">>, [1, 2, 3]}}}] ++
    records().

%% Native records are of OTP 29; its compiler alone can read their syntax, so the module is compiled here.
records() ->
    Source = "-module(nr).\n-export([all/0]).\n-export_record([shown]).\n-record #shown{a}.\n-record #pt{x = 1, y = 2}.\n-record #empty{}.\n"
             "all() -> [#pt{x = 10, y = 2}, #empty{}, {#pt{}, [#pt{y = [a]}]}, #shown{a = #{#empty{} => <<1:1>>}}].\n",
    case list_to_integer(erlang:system_info(otp_release)) >= 29 of
        false -> [];
        true ->
            File = "/tmp/nr.erl",
            ok = file:write_file(File, Source),
            try
                {ok, nr, Code} = compile:file(File, [binary, report]),
                {module, nr} = code:load_binary(nr, File, Code),
                [{record, R} || R <- nr:all()]
            after file:delete(File) end
    end.

with_options() ->
    Long = lists:duplicate(100, {compress, me}),
    Mixed = {ok, 'ünï', 'Ω', 1.5, -1, 1 bsl 70, [1, 2], [a | b], #{k => <<"v">>, 2.5 => <<1:1>>}, fun lists:map/2},
    [{old_float, F, [{minor_version, 0}]} || F <- [1.5, -0.1, 1.0e100]] ++
    [{latin1_atom, A, [{minor_version, 1}]} || A <- [ok, 'ünï', list_to_atom(lists:duplicate(255, 16#ff))]] ++
    [{minor_version, Mixed, [{minor_version, V}]} || V <- [0, 1, 2]] ++
    [{compressed, Long, [compressed]}, {compressed, Mixed, [{compressed, 1}]},
     {compressed, large_map(), [{compressed, 9}, {minor_version, 1}]}, {compressed, binary:copy(<<0>>, 3000), [{compressed, 9}]}].

large_map() -> maps:from_list([{I, -I} || I <- lists:seq(1, 40)]).

%% Forms that today's Erlang reads and no longer writes, and forms that are longer than they need to be.
only_read() ->
    Node = <<100, 0, 3, "a@b">>,
    [{small_atom, <<131, 115, 2, "ok">>}, {small_atom, <<131, 115, 1, 255>>}, {atom_utf8, <<131, 118, 0, 2, "ok">>},
     {old_reference, <<131, 101, Node/binary, 7:32, 1>>}, {old_port, <<131, 102, Node/binary, 7:32, 1>>},
     {old_pid, <<131, 103, Node/binary, 7:32, 9:32, 1>>}, {new_reference, <<131, 114, 3:16, Node/binary, 1, 7:32, 8:32, 9:32>>},
     {newer_reference, <<131, 90, 5:16, Node/binary, 99:32, 1:32, 2:32, 3:32, 4:32, 5:32>>},
     {new_pid, <<131, 88, Node/binary, 1:32, 2:32, 3:32>>}, {new_port, <<131, 89, Node/binary, 5:32, 3:32>>},
     {v4_port, <<131, 120, Node/binary, 16#123456789:64, 3:32>>},
     {wide_integer, <<131, 98, 5:32>>}, {wide_integer, <<131, 110, 4, 0, 5, 0, 0, 0>>}, {wide_integer, <<131, 110, 0, 0>>},
     {wide_integer, <<131, 110, 1, 1, 0>>}, {wide_integer, <<131, 111, 2:32, 1, 1, 1>>},
     {wide_integer, <<131, 110, 10, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>>},
     {large_tuple, <<131, 105, 1:32, 106>>}, {list_of_bytes, <<131, 108, 2:32, 97, 1, 97, 2, 106>>},
     {empty_list, <<131, 108, 0:32, 106>>}, {empty_string, <<131, 107, 0:16>>},
     {list_in_tail, <<131, 108, 1:32, 97, 1, 107, 0, 2, 2, 3>>}, {list_in_tail, <<131, 108, 1:32, 97, 1, 108, 1:32, 97, 2, 97, 3>>},
     {empty_with_tail, <<131, 108, 0:32, 97, 7>>}, {whole_bits, <<131, 77, 2:32, 8, 1, 2>>},
     {export, <<131, 113, 119, 5, "lists", 119, 3, "map", 97, 2>>}].

%% What it refuses, and so what nobody may rely on.
refused() ->
    Bad = [{duplicate_key, <<131, 116, 2:32, 97, 1, 97, 1, 97, 1, 97, 2>>}, {nan, <<131, 70, 16#7ff8:16, 0:48>>},
           {infinity, <<131, 70, 16#7ff0:16, 0:48>>}, {no_bits, <<131, 77, 1:32, 0, 255>>}, {nine_bits, <<131, 77, 1:32, 9, 255>>},
           {long_atom, <<131, 118, 256:16, (binary:copy(<<"a">>, 256))/binary>>}, {bad_utf8, <<131, 119, 1, 255>>},
           {old_fun, <<131, 117, 0:32>>}, {local, <<131, 121, 0:64, 106>>}, {short, <<131, 104, 2, 97, 1>>},
           {big_sign, <<131, 110, 1, 2, 5>>}, {six_words, <<131, 90, 6:16, 119, 3, "a@b", 0:32, 0:192>>},
           {huge_list, <<131, 108, 16#ffffffff:32>>}, {huge_tuple, <<131, 105, 16#ffffffff:32>>},
           {huge_map, <<131, 116, 16#ffffffff:32>>}, {huge_binary, <<131, 109, 16#ffffffff:32>>}, {cache_ref, <<131, 82, 0>>},
           {compressed_inside, <<131, 104, 1, 80, 2:32, (zlib:compress(<<97, 1>>))/binary>>},
           {compressed_wrong_size, <<131, 80, 3:32, (zlib:compress(<<97, 1>>))/binary>>}, {empty, <<>>}, {version, <<130, 106>>}],
    [read(["refused_", atom_to_list(Name)], Bytes) || {Name, Bytes} <- Bad],
    %% OTP 26 and later can write terms that only they themselves read again.
    try term_to_binary({a, self()}, [local]) of
        Local -> io:format("refused_own_local\t~s\trefused\t~n", [hex(Local)])
    catch error:badarg -> ok end.
