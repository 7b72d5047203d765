import type { RenderedFile } from './rendered-file.js';

/** Templates for encrypted volumes: no Redis-like server encrypts what it writes. */
export function renderEncryptionAtRest(memoryMegabytes: number): RenderedFile[] {
  const gigabytes = Math.max(10, Math.ceil((memoryMegabytes * 4) / 1024));
  const file = (name: string, content: string): RenderedFile => ({
    path: `encryption-at-rest/${name}`,
    mode: 0o644,
    content,
  });
  return [
    file('luks.md', luks),
    file('aws.tf', aws(gigabytes)),
    file('gcp.tf', gcp(gigabytes)),
    file('azure.tf', azure(gigabytes)),
  ];
}

const luks = `# Encryption at rest with LUKS

The servers write data, snapshots and the append-only file in clear: the volume under them has to be encrypted.
Everything on the device named here is lost. Replace DEVICE, for example by /dev/disk/by-id/….

\`\`\`sh
cryptsetup luksFormat --type luks2 --cipher aes-xts-plain64 --key-size 512 --pbkdf argon2id DEVICE
cryptsetup open DEVICE redkeep-data
mkfs.ext4 /dev/mapper/redkeep-data
mount -o nodev,nosuid,noexec /dev/mapper/redkeep-data /var/lib/redkeep
cryptsetup luksHeaderBackup DEVICE --header-backup-file luks-header.img   # keep it off this machine
\`\`\`

Swap holds memory: encrypt it too (\`/etc/crypttab\`: \`swap DEVICE /dev/urandom swap,cipher=aes-xts-plain64\`) or turn it
off. How to see it: \`lsblk -o NAME,TYPE,MOUNTPOINT\` shows \`crypt\` above the mount point; \`redkeep audit\` looks there.
`;

const aws = (
  gigabytes: number,
) => `# An encrypted volume for the servers' data, under a key of its own that rotates each year.
variable "availability_zone" {
  type = string
}

resource "aws_kms_key" "redkeep" {
  description             = "Data of the Redis servers"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_ebs_volume" "redkeep" {
  availability_zone = var.availability_zone
  size              = ${gigabytes}
  type              = "gp3"
  encrypted         = true
  kms_key_id        = aws_kms_key.redkeep.arn

  lifecycle {
    prevent_destroy = true
  }
}
`;

const gcp = (
  gigabytes: number,
) => `# An encrypted disk for the servers' data, under a key of its own that rotates every 90 days.
variable "zone" {
  type = string
}

variable "region" {
  type = string
}

resource "google_kms_key_ring" "redkeep" {
  name     = "redkeep"
  location = var.region
}

resource "google_kms_crypto_key" "redkeep" {
  name            = "redkeep-data"
  key_ring        = google_kms_key_ring.redkeep.id
  rotation_period = "7776000s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_compute_disk" "redkeep" {
  name = "redkeep-data"
  zone = var.zone
  type = "pd-ssd"
  size = ${gigabytes}

  disk_encryption_key {
    kms_key_self_link = google_kms_crypto_key.redkeep.id
  }
}
`;

const azure = (gigabytes: number) => `# An encrypted disk for the servers' data, under a key of your own.
variable "resource_group_name" {
  type = string
}

variable "location" {
  type = string
}

variable "key_vault_key_id" {
  type = string
}

resource "azurerm_disk_encryption_set" "redkeep" {
  name                      = "redkeep"
  resource_group_name       = var.resource_group_name
  location                  = var.location
  key_vault_key_id          = var.key_vault_key_id
  auto_key_rotation_enabled = true

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_managed_disk" "redkeep" {
  name                   = "redkeep-data"
  resource_group_name    = var.resource_group_name
  location               = var.location
  storage_account_type   = "Premium_LRS"
  create_option          = "Empty"
  disk_size_gb           = ${gigabytes}
  disk_encryption_set_id = azurerm_disk_encryption_set.redkeep.id
}
`;
