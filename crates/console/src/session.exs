# The session of a shell at this node, run by Code.eval_string/2 with `owner` and `colours` bound. Nothing is loaded here.
# This process keeps what is known between expressions; another evaluates, so that one that runs away can be ended.
Application.load(:iex)
Process.flag(:trap_exit, true)
keeper = self()
helpers = Code.ensure_loaded?(IEx.Helpers)
silent = :"do not show this result in output"

fresh = fn ->
  env = Code.env_for_eval(file: "iex")
  env =
    if helpers do
      {_, _, env} = Code.eval_quoted_with_env(quote(do: import(IEx.Helpers)), [], env)
      env
    else
      env
    end

  {[], env, []}
end

# `v()` and `v(n)` by values of our own: releases of IEx keep theirs in different places.
recall = fn values, n ->
  found = if n < 0, do: Enum.at(values, -n - 1), else: List.keyfind(values, n, 0)
  if found, do: elem(found, 1), else: raise("v(#{n}) is out of bounds, #{length(values)} values are kept")
end

recalling = fn
  {:v, _, []} -> quote(do: Process.get(:beamline_v).(-1))
  {:v, _, [n]} -> quote(do: Process.get(:beamline_v).(unquote(n)))
  other -> other
end

prune = fn stack ->
  ours = [:elixir, :elixir_eval, :elixir_expand, :erl_eval, :elixir_compiler, Code]
  Enum.take_while(stack, fn entry -> elem(entry, 0) not in ours end)
end

show = fn value, width ->
  syntax = if colours and function_exported?(IO.ANSI, :syntax_colors, 0), do: IO.ANSI.syntax_colors(), else: []
  configured = Application.get_env(:iex, :inspect, [])
  inspect(value, Keyword.merge([pretty: true, width: width, syntax_colors: syntax], configured))
end

run = fn code, counter, width, {binding, env, values} ->
  Process.put(:beamline_v, fn n -> recall.(values, n) end)

  try do
    quoted = Code.string_to_quoted!(code, file: "iex", line: counter)
    # A module may have a function of that name.
    quoted = if code =~ "defmodule", do: quoted, else: Macro.prewalk(quoted, recalling)
    {value, binding, env} = Code.eval_quoted_with_env(quoted, binding, env)
    values = Enum.take([{counter, value} | values], 20)
    reply = if value == silent, do: :silent, else: {:value, show.(value, width)}
    {reply, {binding, env, values}}
  catch
    kind, reason -> {{:failed, Exception.format(kind, reason, prune.(__STACKTRACE__))}, {binding, env, values}}
  end
end

checked = fn code, counter, width, state ->
  if function_exported?(Code, :with_diagnostics, 1) do
    {{reply, state}, diagnostics} = Code.with_diagnostics(fn -> run.(code, counter, width, state) end)
    said = for %{severity: severity, message: message} <- diagnostics, do: "#{severity}: #{message}\n"

    case reply do
      {:failed, told} -> {{:failed, IO.iodata_to_binary([said, told])}, state}
      other ->
        if said != [], do: IO.write(said)
        {other, state}
    end
  else
    run.(code, counter, width, state)
  end
end

evaluator = fn evaluator, state ->
  receive do
    {^keeper, :eval, code, counter, width} ->
      {reply, state} = checked.(code, counter, width, state)
      send(keeper, {self(), :done, reply, state})
      evaluator.(evaluator, state)
  end
end

start = fn state -> spawn_link(fn -> evaluator.(evaluator, state) end) end

keep = fn keep, pid, state ->
  receive do
    {^owner, :eval, code, counter, width} ->
      send(pid, {keeper, :eval, code, counter, width})
      keep.(keep, pid, state)

    {^owner, :interrupt} ->
      Process.exit(pid, :kill)
      keep.(keep, pid, state)

    {^owner, :respawn} ->
      Process.unlink(pid)
      Process.exit(pid, :kill)
      state = fresh.()
      keep.(keep, start.(state), state)

    {^pid, :done, reply, {binding, _, _} = state} ->
      names = for {name, _} when is_atom(name) <- binding, do: Atom.to_string(name)
      send(owner, {:done, reply, names})
      keep.(keep, pid, state)

    {:EXIT, ^owner, _} ->
      Process.exit(pid, :kill)
      :ok

    {:EXIT, ^pid, reason} ->
      send(owner, {:ended, inspect(reason)})
      keep.(keep, start.(state), state)

    {:EXIT, _, _} ->
      keep.(keep, pid, state)
  end
end

state = fresh.()
keep.(keep, start.(state), state)
