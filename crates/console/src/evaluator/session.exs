# Evaluations at this node for a shell or a notebook elsewhere, run by Code.eval_string/2 with `owner`, `colours` and `recalls`
# bound. Nothing is loaded here. This process keeps what is known between expressions, in contexts that build on each other;
# others evaluate, one for each lane, so that what runs away can be ended.
Application.load(:iex)
Process.flag(:trap_exit, true)
keeper = self()
helpers = Code.ensure_loaded?(IEx.Helpers)
silent = :"do not show this result in output"
longest = 200_000

env = Code.env_for_eval(file: "iex")

env =
  if helpers do
    {_, _, env} = Code.eval_quoted_with_env(quote(do: import(IEx.Helpers)), [], env)
    env
  else
    env
  end

fresh = {%{}, env, []}

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

# Where in the file it failed: the innermost place there is, or where the expression begins that ran.
line_of = fn reason, stack, file, at ->
  inner =
    Enum.find_value(stack, fn
      {_, _, _, info} -> if to_string(info[:file]) == file, do: info[:line]
      _ -> nil
    end)

  case reason do
    %{line: line, file: ^file} when is_integer(line) and line > 0 -> line
    _ -> inner || at
  end
end

shorten = fn text -> if byte_size(text) > longest, do: String.slice(text, 0, longest) <> " ...", else: text end

show = fn value, width ->
  syntax = if colours and function_exported?(IO.ANSI, :syntax_colors, 0), do: IO.ANSI.syntax_colors(), else: []
  configured = Application.get_env(:iex, :inspect, [])
  shorten.(inspect(value, Keyword.merge([pretty: true, width: width, syntax_colors: syntax], configured)))
end

# A list of maps or keyword lists with like keys: the names of its columns, its first rows, and how many it has.
label = fn key -> if is_atom(key), do: Atom.to_string(key), else: inspect(key) end

short = fn value ->
  if is_binary(value) and String.valid?(value),
    do: String.slice(value, 0, 200),
    else: String.slice(inspect(value, limit: 20, printable_limit: 200), 0, 200)
end

fields = fn
  %{} = row when not is_map_key(row, :__struct__) -> Map.to_list(row) |> Enum.sort()
  [{_, _} | _] = row -> if Keyword.keyword?(row), do: row, else: []
  _ -> []
end

table = fn value, most ->
  with true <- most > 0 and is_list(value) and value != [],
       true <- List.improper?(value) == false,
       rows = value |> Enum.take(most) |> Enum.map(fields),
       false <- Enum.any?(rows, &(&1 == [])),
       keys = rows |> Enum.flat_map(fn row -> Enum.map(row, &elem(&1, 0)) end) |> Enum.uniq(),
       true <- length(keys) <= 50 and Enum.all?(rows, &(2 * length(&1) >= length(keys))) do
    cells =
      for row <- rows do
        for key <- keys do
          case List.keyfind(row, key, 0) do
            {_, value} -> short.(value)
            nil -> ""
          end
        end
      end

    {Enum.map(keys, label), cells, length(value)}
  else
    _ -> nil
  end
end

elixir = fn code, file, line, {binding, env, values} ->
  Process.put(:beamline_v, fn n -> recall.(values, n) end)
  quoted = Code.string_to_quoted!(code, file: file, line: line)
  # A module may have a function of that name.
  quoted = if recalls and not (code =~ "defmodule"), do: Macro.prewalk(quoted, recalling), else: quoted

  all =
    case quoted do
      {:__block__, _, [_ | _] = all} -> all
      one -> [one]
    end

  # One by one: a release whose stacks have no lines of evaluated code can tell the expression's.
  Enum.reduce(all, {nil, Map.to_list(binding), %{env | file: file}}, fn one, {_, binding, env} ->
    with {_, meta, _} <- one, do: Process.put(:beamline_line, Keyword.get(meta, :line, line))
    Code.eval_quoted_with_env(one, binding, env)
  end)
end

printed = fn value, width ->
  shorten.(:unicode.characters_to_binary(:io_lib.format("~*tp", [width, value])))
end

toggle = fn name, to ->
  <<first::utf8, rest::binary>> = Atom.to_string(name)
  String.to_atom(to.(<<first::utf8>>) <> rest)
end

# Variables are named `count` here and `Count` there.
erlang = fn code, file, line, {binding, env, _} ->
  refuse = fn at, module, what ->
    raise(SyntaxError, file: file, line: at, column: 1, description: to_string(module.format_error(what)))
  end

  at = fn
    {line, _} -> line
    line -> line
  end

  text = if String.ends_with?(String.trim_trailing(code), "."), do: code, else: code <> "\n."

  tokens =
    case :erl_scan.string(String.to_charlist(text), line) do
      {:ok, tokens, _} -> tokens
      {:error, {where, module, what}, _} -> refuse.(at.(where), module, what)
    end

  theirs =
    for {name, value} <- binding, is_atom(name), reduce: :erl_eval.new_bindings() do
      all -> :erl_eval.add_binding(toggle.(name, &String.upcase/1), value, all)
    end

  forms =
    tokens
    |> Enum.chunk_while([], fn
      {:dot, _} = dot, one -> {:cont, Enum.reverse([dot | one]), []}
      token, one -> {:cont, [token | one]}
    end, fn _ -> {:cont, []} end)
    |> Enum.flat_map(fn tokens ->
      case :erl_parse.parse_exprs(tokens) do
        {:ok, forms} -> forms
        {:error, {where, module, what}} -> refuse.(at.(where), module, what)
      end
    end)

  {value, theirs} =
    Enum.reduce(forms, {nil, theirs}, fn form, {_, theirs} ->
      Process.put(:beamline_line, at.(:erl_anno.location(elem(form, 1))))
      {:value, value, theirs} = :erl_eval.expr(form, theirs)
      {value, theirs}
    end)

  ours = for {name, value} <- :erl_eval.bindings(theirs), do: {toggle.(name, &String.downcase/1), value}
  {value, ours, env}
end

run = fn {language, code, file, line, width, rows, number}, {old, env, values} = state ->
  Process.put(:beamline_line, line)

  try do
    {value, binding, env} =
      if language == :erlang, do: erlang.(code, file, line, state), else: elixir.(code, file, line, state)

    bound = Map.new(Enum.reject(binding, fn {name, value} -> match?(%{^name => ^value}, old) end))
    values = if recalls, do: Enum.take([{number, value} | values], 20), else: []
    text = if language == :erlang, do: printed.(value, width), else: show.(value, width)
    reply = if value == silent, do: :silent, else: {:value, text, table.(value, rows)}
    {reply, {bound, env, values}}
  catch
    kind, reason ->
      stack = __STACKTRACE__
      # With the functions that may have been meant, and the clauses that were tried.
      {blamed, pruned} =
        if kind == :error, do: Exception.blame(kind, reason, prune.(stack)), else: {reason, prune.(stack)}

      told = shorten.(Exception.format(kind, blamed, pruned))
      {{:failed, told, line_of.(reason, stack, file, Process.get(:beamline_line))}, {%{}, env, values}}
  end
end

checked = fn {_, _, file, _, _, _, _} = job, state ->
  if function_exported?(Code, :with_diagnostics, 1) do
    {{reply, state}, diagnostics} = Code.with_diagnostics(fn -> run.(job, state) end)
    said = for %{severity: severity, message: message} <- diagnostics, do: "#{severity}: #{message}\n"

    case reply do
      {:failed, told, line} ->
        placed =
          Enum.find_value(diagnostics, fn
            %{severity: :error, file: at, position: {line, _}} -> if to_string(at) == file, do: line
            %{severity: :error, file: at, position: line} -> if to_string(at) == file, do: line
            _ -> nil
          end)

        {{:failed, IO.iodata_to_binary([said, told]), placed || line}, state}

      other ->
        if said != [], do: IO.write(said)
        {other, state}
    end
  else
    run.(job, state)
  end
end

evaluator = fn evaluator ->
  receive do
    {^keeper, :eval, id, leader, job, state} ->
      Process.group_leader(self(), leader)
      {reply, state} = checked.(job, state)
      send(keeper, {self(), :done, id, reply, state})
      evaluator.(evaluator)
  end
end

start = fn -> spawn_link(fn -> evaluator.(evaluator) end) end

# IEx's completion asks the evaluator of a shell for variables and imports: here one that knows a context.
answering = fn answering, {binding, env, _} = state ->
  receive do
    {:variables_from_binding, _, ref, from, prefix} ->
      names = for {name, _} when is_atom(name) <- Map.to_list(binding), do: Atom.to_string(name)
      send(from, {ref, Enum.filter(names, &String.starts_with?(&1, prefix))})

    {:value_from_binding, _, ref, from, name, path} ->
      value =
        Enum.reduce(path, Map.fetch(binding, name), fn
          key, {:ok, %{} = map} -> Map.fetch(map, key)
          _, _ -> :error
        end)

      send(from, {ref, value})

    {:fields_from_env, _, ref, from, fields} ->
      send(from, {ref, Map.take(env, fields)})
  end

  answering.(answering, state)
end

expand = fn id, line, state ->
  spawn(fn ->
    Process.put(:evaluator, spawn_link(fn -> answering.(answering, state) end))

    expanded =
      try do
        IEx.Autocomplete.expand(line, self())
      catch
        _, _ -> :none
      end

    send(owner, {:expanded, id, expanded})
    exit(:shutdown)
  end)
end

# `contexts` by their numbers, the processes of `lanes`, and what they run: the evaluation, its context, and what that builds on.
keep = fn keep, contexts, lanes, running ->
  receive do
    {^owner, :eval, id, lane, context, above, leader, job} ->
      pid = Map.get_lazy(lanes, lane, start)
      state = Map.get(contexts, above, fresh)
      send(pid, {keeper, :eval, id, leader, job, state})
      keep.(keep, contexts, Map.put(lanes, lane, pid), Map.put(running, pid, {id, context, above, state}))

    {^owner, :interrupt, lane} ->
      with %{^lane => pid} <- lanes, do: Process.exit(pid, :kill)
      keep.(keep, contexts, Map.delete(lanes, lane), running)

    {^owner, :expand, id, context, line} ->
      expand.(id, line, Map.get(contexts, context, fresh))
      keep.(keep, contexts, lanes, running)

    {^owner, :forget, gone} ->
      keep.(keep, Map.drop(contexts, gone), lanes, running)

    {pid, :done, id, reply, {bound, env, values}} when is_map_key(running, pid) ->
      {_, context, above, {binding, _, _}} = running[pid]
      state = {Map.merge(binding, bound), env, values}
      # What fails has no variables of its own, unless its context goes on as it was.
      failed = match?({:failed, _, _}, reply) and context != above
      contexts = if failed, do: Map.delete(contexts, context), else: Map.put(contexts, context, state)
      names = for {name, _} when is_atom(name) <- Map.to_list(elem(state, 0)), do: Atom.to_string(name)
      send(owner, {:done, id, reply, names})
      keep.(keep, contexts, lanes, Map.delete(running, pid))

    {:EXIT, ^owner, _} ->
      for {_, pid} <- lanes, do: Process.exit(pid, :kill)
      :ok

    {:EXIT, pid, reason} ->
      with %{^pid => {id, _, _, _}} <- running, do: send(owner, {:ended, id, inspect(reason)})
      lanes = Map.reject(lanes, fn {_, other} -> other == pid end)
      keep.(keep, contexts, lanes, Map.delete(running, pid))

    _ ->
      keep.(keep, contexts, lanes, running)
  end
end

keep.(keep, %{}, %{}, %{})
