# Run by Code.eval_string/2 on the node that is asked, with `code`, `shown` and `width` bound. Nothing is loaded there.

# Who has asked waits no more when its node is gone: then this ends.
asker = Process.group_leader()
Process.link(asker)

read =
  try do
    {:ok, Code.string_to_quoted!(code, file: "rpc")}
  rescue
    error -> {:wrong, Exception.format(:error, error, [])}
  end

evaluate = fn quoted ->
  try do
    {value, _} = Code.eval_quoted(quoted, [], file: "rpc")
    {:value, if(shown, do: inspect(value, pretty: true, width: width), else: value)}
  catch
    kind, reason ->
      ours = [:elixir, :elixir_eval, :erl_eval, :elixir_compiler, Code]
      stack = Enum.take_while(__STACKTRACE__, fn entry -> elem(entry, 0) not in ours end)
      {:failed, Exception.format(kind, reason, stack)}
  end
end

result =
  case read do
    {:ok, quoted} ->
      if function_exported?(Code, :with_diagnostics, 1) do
        {result, diagnostics} = Code.with_diagnostics(fn -> evaluate.(quoted) end)
        errors = for %{severity: :error, message: message} <- diagnostics, do: "error: #{message}\n"

        case result do
          {:failed, told} -> {:failed, IO.iodata_to_binary([errors, told])}
          other -> other
        end
      else
        evaluate.(quoted)
      end

    wrong ->
      wrong
  end

Process.unlink(asker)
result
