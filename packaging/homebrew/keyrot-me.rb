# Homebrew's formula: a template that packaging/manifests fills in. Each @NAME@ is the checksum of that archive.
class KeyrotMe < Formula
  desc "Rotates your AWS IAM user access key without ever losing it"
  homepage "@HOMEPAGE@"
  version "@VERSION@"
  license any_of: ["Apache-2.0", "MIT"]

  on_macos do
    on_arm do
      url "@DOWNLOADS@/keyrot-me-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@aarch64-apple-darwin@"
    end
    on_intel do
      url "@DOWNLOADS@/keyrot-me-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@DOWNLOADS@/keyrot-me-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "@DOWNLOADS@/keyrot-me-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "keyrot-me"
    man1.install Dir["man/*.1"]
    generate_completions_from_executable(bin/"keyrot-me", "completions", shells: [:bash, :zsh, :fish])
    pkgshare.install "iam", "config.example.toml", "completions/keyrot-me.ps1"
  end

  def caveats
    <<~EOS
      Before `brew uninstall`: `keyrot-me schedule remove`, and for keys in the keychain
      `keyrot-me store move --to file --profile NAME`.
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/keyrot-me --version")
    (testpath/".aws/credentials").write "[default]\n"
    assert_match "default", shell_output("#{bin}/keyrot-me status --offline 2>&1", 2)
  end
end
