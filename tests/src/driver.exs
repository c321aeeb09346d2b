# Reads one Elixir expression a line, evaluates it, prints what came of it on one line
# that begins with \x01. Ends when its input does, so it never outlives the test.
defmodule Driver do
  def loop(binding) do
    case IO.gets("") do
      line when is_binary(line) ->
        {tag, text, binding} = evaluate(line, binding)
        IO.puts("\x01#{tag} #{String.replace(text, "\n", " ")}")
        loop(binding)

      _ ->
        System.halt(0)
    end
  end

  defp evaluate(line, binding) do
    {value, binding} = Code.eval_string(line, binding)
    {"ok", show(value), binding}
  catch
    kind, reason -> {"raised", show({kind, reason}), binding}
  end

  defp show(value), do: inspect(value, limit: :infinity, printable_limit: :infinity, width: :infinity)
end

# Heartbeats as libcluster's gossip sends and reads them, plain or with a secret.
defmodule Gossip do
  @group {233, 252, 1, 32}

  def start(port \\ 45892, secret \\ nil, group \\ @group, interface \\ {0, 0, 0, 0}) do
    spawn(fn -> open(port, secret, group, interface) end)
  end

  defp open(port, secret, group, interface) do
    {:ok, socket} =
      :gen_udp.open(port, [
        :binary,
        active: true,
        ip: {0, 0, 0, 0},
        reuseaddr: true,
        broadcast: true,
        multicast_ttl: 1,
        multicast_loop: true,
        multicast_if: interface,
        add_membership: {group, interface}
      ])

    send(self(), :beat)
    loop(socket, port, secret, group)
  end

  defp loop(socket, port, secret, group) do
    receive do
      :beat ->
        :gen_udp.send(socket, group, port, encode(node(), secret))
        Process.send_after(self(), :beat, :rand.uniform(1000))

      {:udp, ^socket, _ip, _port, packet} ->
        with name when is_atom(name) and name not in [nil, node()] <- decode(packet, secret),
             false <- name in Node.list(:connected),
             do: Node.connect(name)

      _ ->
        :ignored
    end

    loop(socket, port, secret, group)
  end

  def encode(name, nil), do: "heartbeat::" <> :erlang.term_to_binary(%{node: name})

  def encode(name, secret) do
    iv = :crypto.strong_rand_bytes(16)
    plain = encode(name, nil)
    count = 16 - rem(byte_size(plain), 16)
    padded = plain <> :binary.copy(<<count>>, count)
    iv <> :crypto.crypto_one_time(:aes_256_cbc, :crypto.hash(:sha256, secret), iv, padded, true)
  end

  def decode(<<"heartbeat::", term::binary>>, nil) do
    case :erlang.binary_to_term(term) do
      %{node: name} -> name
      _ -> nil
    end
  rescue
    ArgumentError -> nil
  end

  def decode(<<iv::binary-size(16), body::binary>>, secret) when secret != nil do
    padded = :crypto.crypto_one_time(:aes_256_cbc, :crypto.hash(:sha256, secret), iv, body, false)
    count = :binary.last(padded)
    {plain, padding} = :erlang.split_binary(padded, byte_size(padded) - count)
    if count <= 16 and padding == :binary.copy(<<count>>, count), do: decode(plain, nil)
  rescue
    _ -> nil
  end

  def decode(_packet, _secret), do: nil
end

defmodule AppB do
  def hello, do: :world
  def add(a, b), do: a + b
  def boom, do: raise("boom")
end

defmodule Echo do
  use GenServer
  def init(state), do: {:ok, state}
  def handle_call({:echo, term}, _from, state), do: {:reply, term, state}
end

IO.puts("\x01ready")
Driver.loop([])
